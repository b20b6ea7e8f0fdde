#!/bin/bash -eu
# Builds the targets as OSS-Fuzz asks for it: CC, CXX, their flags, LIB_FUZZING_ENGINE, SRC and OUT
# are set. The libraries are linked statically, because the image that runs the targets has none.
# TARGETS limits what is built.
cd "$SRC/pythemis"
work=$(mktemp -d)
common="-std=c11 -Isrc/themis_c -Ifuzz -DTHEMIS_TESTING=1"

objects=()
for source in src/themis_c/*/*.c fuzz/common/fuzz.c fuzz/common/parties.c fuzz/common/forged.c; do
    object="$work/$(echo "${source%.c}" | tr / -).o"
    # shellcheck disable=SC2086 # flags are words
    $CC $CFLAGS $common -c "$source" -o "$object"
    objects+=("$object")
done

everything=$(cd fuzz && ls ./*.c | sed 's|^\./||; s|\.c$||' | grep -vE '^(control|threads)$')
for target in ${TARGETS:-$everything}; do
    cost=
    words=themis
    if [ "$target" = key_text ]; then # scrypt takes memory, as in tools/evidence/fuzz.py
        cost="-DFUZZ_BASE_MS=6000 -DFUZZ_BASE_KIB=49152"
        words=der
    fi
    # shellcheck disable=SC2086
    $CC $CFLAGS $common -DLLVMFuzzerTestOneInput=fuzz_target -c "fuzz/$target.c" -o "$work/target.o"
    # shellcheck disable=SC2086
    $CC $CFLAGS $common $cost -c fuzz/common/cost.c -o "$work/cost.o"
    # shellcheck disable=SC2086
    $CXX $CXXFLAGS "$work/target.o" "$work/cost.o" "${objects[@]}" $LIB_FUZZING_ENGINE \
        -l:libcrypto.a -l:libsodium.a -ldl -lpthread -o "$OUT/$target"
    cp "fuzz/$words.dict" "$OUT/$target.dict"
    printf '[libfuzzer]\nmax_len = 12288\ntimeout = 25\n' > "$OUT/$target.options"
    python3 - "$target" "$work/seeds-$target" << 'END'
import sys
from pathlib import Path
from tools.evidence.fuzz_seeds import write_seeds
write_seeds(sys.argv[1], Path(sys.argv[2]))
END
    python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" "$work/seeds-$target"/*
done
