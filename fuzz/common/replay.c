/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a target on the files it is given, where there is no libFuzzer. */
#include <stdio.h>
#include <stdlib.h>

#include "common/fuzz.h"

static uint8_t input[1 << 20];

int main(int count, char **names)
{
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        size_t size;
        uint8_t *copy;
        if (file == NULL) {
            fprintf(stderr, "%s cannot be read\n", names[i]);
            return 1;
        }
        size = fread(input, 1, sizeof input, file);
        (void)fclose(file);
        copy = fuzz_copy((struct soter_slice){input, size});
        (void)LLVMFuzzerTestOneInput(copy, size);
        free(copy);
    }
    return 0;
}
