# SPDX-License-Identifier: Apache-2.0
# Made by tools/make_stub.py from src/themis_c/themis.h: `make lint FIX=1`.
from typing import Final, TypeAlias, final

from _cffi_backend import FFI, _CDataBase

# Bytes that C reads, or writes into: `bytes` as they are, anything else as a view by cffi.
_Bytes: TypeAlias = bytes | _CDataBase
# Where cffi makes room for a result, and what C gives back.
_Pointer: TypeAlias = _CDataBase

class _FFI(FFI):
    # The texts of this header are all of `char`.
    def string(self, cdata: _CDataBase, maxlen: int = ...) -> bytes: ...

@final
class _Lib:
    THEMIS_SUCCESS: Final[int]
    THEMIS_SEND_OUTPUT_TO_PEER: Final[int]
    THEMIS_FAIL: Final[int]
    THEMIS_INVALID_PARAMETER: Final[int]
    THEMIS_NO_MEMORY: Final[int]
    THEMIS_BUFFER_TOO_SMALL: Final[int]
    THEMIS_DATA_CORRUPT: Final[int]
    THEMIS_INVALID_SIGNATURE: Final[int]
    THEMIS_NOT_SUPPORTED: Final[int]
    THEMIS_ENGINE_FAIL: Final[int]
    THEMIS_SSESSION_KA_NOT_FINISHED: Final[int]
    THEMIS_SSESSION_TRANSPORT_ERROR: Final[int]
    THEMIS_SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR: Final[int]
    THEMIS_SYMMETRIC_KEY_SIZE: Final[int]
    THEMIS_KEY_EC: Final[int]
    THEMIS_KEY_RSA: Final[int]
    THEMIS_SECRET_MAX: Final[int]
    THEMIS_SECRET_TEXT_MAX: Final[int]
    THEMIS_RAW: Final[int]
    THEMIS_HEX: Final[int]
    THEMIS_BASE64: Final[int]
    THEMIS_CELL_TOKEN_SIZE: Final[int]
    THEMIS_PASSPHRASE_TOKEN_SIZE: Final[int]
    THEMIS_PASSPHRASE_ITERATIONS: Final[int]
    THEMIS_PASSPHRASE_MIN_ITERATIONS: Final[int]
    THEMIS_PASSPHRASE_MAX_ITERATIONS: Final[int]
    THEMIS_PASSPHRASE_ITERATIONS_LIMIT: Final[int]
    THEMIS_CELL_SEAL: Final[int]
    THEMIS_CELL_UNSEAL: Final[int]
    THEMIS_CELL_IMPRINT: Final[int]
    THEMIS_RING_ID_SIZE: Final[int]
    THEMIS_RING_PREFIX_SIZE: Final[int]
    THEMIS_RING_OVERHEAD: Final[int]
    THEMIS_RING_KEY_SIZE: Final[int]
    THEMIS_RING_LEGACY_MAX_SIZE: Final[int]
    THEMIS_RING_KEYS_MAX: Final[int]
    THEMIS_RING_LEGACY_MAX: Final[int]
    THEMIS_RING_NAME_MAX: Final[int]
    THEMIS_RING_PAYLOAD_MAX: Final[int]
    THEMIS_RING_PIN_SIZE: Final[int]
    THEMIS_RING_INDEX_SIZE: Final[int]
    THEMIS_RING_RETIRED: Final[int]
    THEMIS_RING_ACTIVE: Final[int]
    THEMIS_RING_PRIMARY: Final[int]
    THEMIS_RING_PROMOTE: Final[int]
    THEMIS_RING_RETIRE: Final[int]
    THEMIS_RING_REMOVE: Final[int]
    THEMIS_RING_DROP_LEGACY: Final[int]
    THEMIS_RING_ENCRYPT: Final[int]
    THEMIS_RING_DECRYPT: Final[int]
    THEMIS_COLUMN_ENCRYPT: Final[int]
    THEMIS_COLUMN_DECRYPT: Final[int]
    THEMIS_COLUMN_ROTATE: Final[int]
    THEMIS_COLUMN_INDEX: Final[int]
    THEMIS_COLUMN_BARE: Final[int]
    THEMIS_COLUMN_PADDING: Final[int]
    THEMIS_COLUMN_TEXT: Final[int]
    THEMIS_COLUMN_NULLS: Final[int]
    THEMIS_COLUMN_KEY: Final[int]
    THEMIS_COLUMN_BITS: Final[int]
    THEMIS_STRETCH_SLICE: Final[int]
    THEMIS_CELL_PIECE_SIZE: Final[int]
    THEMIS_PASSPHRASE_TOKEN_MAX: Final[int]
    THEMIS_MESSAGE_UNKNOWN: Final[int]
    THEMIS_MESSAGE_EC_SIGNED: Final[int]
    THEMIS_MESSAGE_RSA_SIGNED: Final[int]
    THEMIS_MESSAGE_EC_ENCRYPTED: Final[int]
    THEMIS_MESSAGE_RSA_ENCRYPTED: Final[int]
    THEMIS_SIGNED_HEADER_SIZE: Final[int]
    THEMIS_SEALED_START_SIZE: Final[int]
    THEMIS_SEALED_MAC_SIZE: Final[int]
    THEMIS_SEALED_SLOTS_MAX: Final[int]
    THEMIS_SEALED_SLOTS_MAX_SIZE: Final[int]
    THEMIS_SEALED_SLOT_START_SIZE: Final[int]
    THEMIS_SEALED_LOG2_MIN: Final[int]
    THEMIS_SEALED_LOG2_MAX: Final[int]
    THEMIS_SEALED_LAST_MIN: Final[int]
    THEMIS_SEALED_KEY_MIN_SIZE: Final[int]
    THEMIS_SEALED_KEY_ID_SIZE: Final[int]
    THEMIS_SEALED_NAME_SIZE: Final[int]
    THEMIS_SEALED_PUBLIC_SIZE: Final[int]
    THEMIS_SEALED_DIGEST_SIZE: Final[int]
    THEMIS_SEALED_PLAIN_SIZE: Final[int]
    THEMIS_SEALED_KEY: Final[int]
    THEMIS_SEALED_PASSPHRASE: Final[int]
    THEMIS_SEALED_RECIPIENT: Final[int]
    THEMIS_SEALED_SENDER: Final[int]
    THEMIS_SEALED_SERVICE: Final[int]
    THEMIS_SEALED_KEY_SLOT_SIZE: Final[int]
    THEMIS_SEALED_PASSPHRASE_SLOT_SIZE: Final[int]
    THEMIS_SEALED_RECIPIENT_SLOT_SIZE: Final[int]
    THEMIS_SEALED_SENDER_SLOT_SIZE: Final[int]
    THEMIS_SESSION_OVERHEAD: Final[int]
    THEMIS_SESSION_PAYLOAD_OFFSET: Final[int]
    THEMIS_SESSION_WINDOW: Final[int]
    THEMIS_SESSION_WINDOW_ONCE: Final[int]
    THEMIS_SESSION_MAX_AGE: Final[int]
    THEMIS_SESSION_IDLE: Final[int]
    THEMIS_SESSION_WAITING_FOR_2: Final[int]
    THEMIS_SESSION_WAITING_FOR_3: Final[int]
    THEMIS_SESSION_WAITING_FOR_4: Final[int]
    THEMIS_SESSION_ESTABLISHED: Final[int]
    THEMIS_SESSION_FAILED: Final[int]
    THEMIS_SESSION_REJECT_DUPLICATES: Final[int]
    THEMIS_SESSION_ALLOW_OWN_IDENTITY: Final[int]
    THEMIS_SESSION_OPTIONS: Final[int]
    THEMIS_COMPARATOR_NOT_READY: Final[int]
    THEMIS_COMPARATOR_MATCH: Final[int]
    THEMIS_COMPARATOR_NO_MATCH: Final[int]
    THEMIS_COMPARATOR_FIRST_SIZE: Final[int]
    SHORT_NOT_DONE: Final[int]
    SHORT_LIMIT: Final[int]
    THEMIS_CELL_MESSAGE_MAX: Final[int]
    THEMIS_COLUMN_ROWS_MAX: Final[int]
    THEMIS_COLUMN_PADDING_MAX: Final[int]
    THEMIS_COLUMN_ID_PARTS_MAX: Final[int]
    THEMIS_SESSION_MESSAGE_MAX: Final[int]
    def themis_init(self, /) -> int: ...
    def themis_init_fips(self, config: _Bytes, why: _Pointer, /) -> int: ...
    def themis_fips_name(self, /) -> _Pointer: ...
    def themis_fips_version(self, /) -> _Pointer: ...
    def themis_status_text(self, status: int, /) -> _Pointer: ...
    def themis_openssl_version(self, /) -> _Pointer: ...
    def themis_sodium_version(self, /) -> _Pointer: ...
    def themis_is_static(self, /) -> int: ...
    def themis_symmetric_key(self, key: _Bytes, /) -> int: ...
    def themis_key_inspect(
        self,
        key: _Bytes,
        key_len: int,
        algorithm: _Pointer,
        is_private: _Pointer,
        bits: _Pointer,
        /,
    ) -> int: ...
    def themis_key_size(
        self,
        algorithm: int,
        is_private: int,
        bits: int,
        uncompressed: int,
        /,
    ) -> int: ...
    def themis_key_pair(
        self,
        algorithm: int,
        bits: int,
        uncompressed: int,
        private_key: _Bytes,
        private_key_len: int,
        public_key: _Bytes,
        public_key_len: int,
        /,
    ) -> int: ...
    def themis_key_public(
        self,
        private_key: _Bytes,
        private_key_len: int,
        uncompressed: int,
        public_key: _Bytes,
        public_key_len: int,
        /,
    ) -> int: ...
    def themis_key_uncompressed(
        self,
        public_key: _Bytes,
        public_key_len: int,
        uncompressed: _Bytes,
        uncompressed_len: int,
        /,
    ) -> int: ...
    def themis_blob_data(self, blob: _Pointer, /) -> _Pointer: ...
    def themis_blob_size(self, blob: _Pointer, /) -> int: ...
    def themis_blob_free(self, blob: _Pointer, /) -> None: ...
    def themis_key_export(
        self,
        key: _Bytes,
        key_len: int,
        pem: int,
        passphrase: _Bytes,
        passphrase_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_key_import(
        self,
        text: _Bytes,
        text_len: int,
        pem: int,
        passphrase: _Bytes,
        passphrase_len: int,
        out: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_key_reading_new(
        self,
        text: _Bytes,
        text_len: int,
        pem: int,
        passphrase: _Bytes,
        passphrase_len: int,
        out: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_key_reading_free(self, reading: _Pointer, /) -> None: ...
    def themis_key_reading_work(self, reading: _Pointer, most: int, left: _Pointer, /) -> int: ...
    def themis_key_reading_finish(
        self,
        reading: _Pointer,
        out: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_overlap(self, a: _Bytes, a_len: int, b: _Bytes, b_len: int, /) -> int: ...
    def themis_wipe(self, data: _Bytes, data_len: int, /) -> None: ...
    def themis_secret_random(self, size: int, out: _Pointer, /) -> int: ...
    def themis_secret_new(self, data: _Bytes, data_len: int, out: _Pointer, /) -> int: ...
    def themis_secret_free(self, secret: _Pointer, /) -> None: ...
    def themis_secret_data(self, secret: _Pointer, /) -> _Pointer: ...
    def themis_secret_size(self, secret: _Pointer, /) -> int: ...
    def themis_secret_lock(self, secret: _Pointer, /) -> int: ...
    def themis_secret_equal(self, a: _Pointer, b: _Pointer, /) -> int: ...
    def themis_secret_text_new(self, out: _Pointer, /) -> int: ...
    def themis_secret_text_free(self, text: _Pointer, /) -> None: ...
    def themis_secret_text_read(
        self,
        text: _Pointer,
        fd: int,
        line: int,
        ended: _Pointer,
        /,
    ) -> int: ...
    def themis_secret_text_variable(self, text: _Pointer, name: _Bytes, /) -> int: ...
    def themis_variable_wipe(self, name: _Bytes, /) -> None: ...
    def themis_secret_text_decode(
        self,
        text: _Pointer,
        encoding: int,
        out: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_cell_new(
        self,
        key: _Bytes,
        key_len: int,
        compat_096: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_cell_free(self, cell: _Pointer, /) -> None: ...
    def themis_cell_seal(
        self,
        cell: _Pointer,
        message: _Bytes,
        message_len: int,
        context: _Bytes,
        context_len: int,
        sealed: _Bytes,
        sealed_len: int,
        /,
    ) -> int: ...
    def themis_cell_unseal(
        self,
        cell: _Pointer,
        sealed: _Bytes,
        sealed_len: int,
        context: _Bytes,
        context_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def themis_cell_protect(
        self,
        cell: _Pointer,
        message: _Bytes,
        message_len: int,
        context: _Bytes,
        context_len: int,
        encrypted: _Bytes,
        encrypted_len: int,
        token: _Bytes,
        /,
    ) -> int: ...
    def themis_cell_unprotect(
        self,
        cell: _Pointer,
        encrypted: _Bytes,
        encrypted_len: int,
        token: _Bytes,
        context: _Bytes,
        context_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def themis_cell_imprint(
        self,
        cell: _Pointer,
        data: _Bytes,
        data_len: int,
        context: _Bytes,
        context_len: int,
        out: _Bytes,
        out_len: int,
        /,
    ) -> int: ...
    def themis_cell_many(
        self,
        cell: _Pointer,
        operation: int,
        buffer: _Bytes,
        buffer_len: int,
        contexts: _Bytes,
        contexts_len: int,
        sizes: _Pointer,
        count: int,
        failed: _Pointer,
        /,
    ) -> int: ...
    def themis_ring_new(self, name: _Bytes, name_len: int, out: _Pointer, /) -> int: ...
    def themis_ring_read(
        self,
        payload: _Bytes,
        payload_len: int,
        out: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_ring_free(self, ring: _Pointer, /) -> None: ...
    def themis_ring_payload(self, ring: _Pointer, payload_len: _Pointer, /) -> _Pointer: ...
    def themis_ring_name(self, ring: _Pointer, name_len: _Pointer, /) -> _Pointer: ...
    def themis_ring_version(self, ring: _Pointer, /) -> int: ...
    def themis_ring_legacy_count(self, ring: _Pointer, /) -> int: ...
    def themis_ring_key(
        self,
        ring: _Pointer,
        index: int,
        id: _Bytes,
        created: _Pointer,
        /,
    ) -> int: ...
    def themis_ring_secret(self, ring: _Pointer, index: int, out: _Pointer, /) -> int: ...
    def themis_ring_lock(self, ring: _Pointer, /) -> int: ...
    def themis_ring_pin(self, ring: _Pointer, id: _Bytes, pin: _Bytes, /) -> int: ...
    def themis_ring_blind_index(
        self,
        ring: _Pointer,
        index: int,
        names: _Bytes,
        names_len: int,
        data: _Bytes,
        data_len: int,
        out: _Bytes,
        /,
    ) -> int: ...
    def themis_ring_add(
        self,
        ring: _Pointer,
        created: int,
        key: _Bytes,
        key_len: int,
        out: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_ring_add_legacy(
        self,
        ring: _Pointer,
        key: _Bytes,
        key_len: int,
        out: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_ring_change(
        self,
        ring: _Pointer,
        change: int,
        id: _Bytes,
        out: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_ring_follows(self, before: _Pointer, after: _Pointer, why: _Pointer, /) -> int: ...
    def themis_ring_encrypt(
        self,
        ring: _Pointer,
        message: _Bytes,
        message_len: int,
        context: _Bytes,
        context_len: int,
        stored: _Bytes,
        stored_len: int,
        /,
    ) -> int: ...
    def themis_ring_decrypt(
        self,
        ring: _Pointer,
        stored: _Bytes,
        stored_len: int,
        context: _Bytes,
        context_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def themis_ring_rotate(
        self,
        ring: _Pointer,
        stored: _Bytes,
        stored_len: int,
        context: _Bytes,
        context_len: int,
        rotated: _Bytes,
        rotated_len: int,
        /,
    ) -> int: ...
    def themis_ring_many(
        self,
        ring: _Pointer,
        operation: int,
        buffer: _Bytes,
        buffer_len: int,
        contexts: _Bytes,
        contexts_len: int,
        sizes: _Pointer,
        count: int,
        failed: _Pointer,
        /,
    ) -> int: ...
    def themis_column_new(self, out: _Pointer, /) -> int: ...
    def themis_column_free(self, column: _Pointer, /) -> None: ...
    def themis_column_add(
        self,
        column: _Pointer,
        schema: _Pointer,
        array: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_column_add_stream(
        self,
        column: _Pointer,
        stream: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_column_add_values(
        self,
        column: _Pointer,
        is_text: int,
        data: _Bytes,
        data_len: int,
        sizes: _Pointer,
        count: int,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_column_rows(self, column: _Pointer, /) -> int: ...
    def themis_column_peek(self, column: _Pointer, row: int, size: _Pointer, /) -> _Pointer: ...
    def themis_column_job_new(
        self,
        ring: _Pointer,
        operation: int,
        values: _Pointer,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_column_job_free(self, job: _Pointer, /) -> None: ...
    def themis_column_job_context(
        self,
        job: _Pointer,
        context: _Bytes,
        context_len: int,
        rows: _Pointer,
        /,
    ) -> int: ...
    def themis_column_job_id_part(self, job: _Pointer, rows: _Pointer, /) -> int: ...
    def themis_column_job_contexts(self, job: _Pointer, contexts: _Pointer, /) -> None: ...
    def themis_column_job_option(self, job: _Pointer, option: int, value: int, /) -> int: ...
    def themis_column_job_begin(
        self,
        job: _Pointer,
        parts: _Pointer,
        failed: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_column_job_part(
        self,
        job: _Pointer,
        part: int,
        failed: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_column_job_end(self, job: _Pointer, out: _Pointer, /) -> int: ...
    def themis_column_result_free(self, result: _Pointer, /) -> None: ...
    def themis_column_result_rows(self, result: _Pointer, /) -> int: ...
    def themis_column_result_nulls(self, result: _Pointer, /) -> int: ...
    def themis_column_result_refused(self, result: _Pointer, /) -> int: ...
    def themis_column_result_values(self, result: _Pointer, sizes: _Pointer, /) -> _Pointer: ...
    def themis_column_result_schema(self, result: _Pointer, /) -> _Pointer: ...
    def themis_column_result_array(self, result: _Pointer, /) -> _Pointer: ...
    def themis_arrow_schema_free(self, schema: _Pointer, /) -> None: ...
    def themis_arrow_array_free(self, array: _Pointer, /) -> None: ...
    def themis_arrow_schema_name(self, /) -> _Pointer: ...
    def themis_arrow_array_name(self, /) -> _Pointer: ...
    def themis_arrow_capsules(self, get_pointer: _Pointer, /) -> None: ...
    def themis_arrow_schema_capsule_end(self, capsule: _Pointer, /) -> None: ...
    def themis_arrow_array_capsule_end(self, capsule: _Pointer, /) -> None: ...
    def themis_passphrase_new(
        self,
        passphrase: _Bytes,
        passphrase_len: int,
        iterations: int,
        min_iterations: int,
        max_iterations: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_passphrase_free(self, passphrase: _Pointer, /) -> None: ...
    def themis_passphrase_seal(
        self,
        passphrase: _Pointer,
        message: _Bytes,
        message_len: int,
        context: _Bytes,
        context_len: int,
        sealed: _Bytes,
        sealed_len: int,
        /,
    ) -> int: ...
    def themis_passphrase_message_size(
        self,
        passphrase: _Pointer,
        sealed: _Bytes,
        sealed_len: int,
        message_len: _Pointer,
        /,
    ) -> int: ...
    def themis_passphrase_bounds(
        self,
        passphrase: _Pointer,
        sealed: _Bytes,
        sealed_len: int,
        bounds: _Pointer,
        /,
    ) -> None: ...
    def themis_passphrase_unseal(
        self,
        passphrase: _Pointer,
        sealed: _Bytes,
        sealed_len: int,
        context: _Bytes,
        context_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def themis_stretch_to_seal(self, passphrase: _Pointer, out: _Pointer, /) -> int: ...
    def themis_stretch_to_unseal(
        self,
        passphrase: _Pointer,
        sealed: _Bytes,
        sealed_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_stretch_free(self, stretch: _Pointer, /) -> None: ...
    def themis_stretch_work(self, stretch: _Pointer, most: int, left: _Pointer, /) -> int: ...
    def themis_stretched_seal(
        self,
        stretch: _Pointer,
        message: _Bytes,
        message_len: int,
        context: _Bytes,
        context_len: int,
        sealed: _Bytes,
        sealed_len: int,
        /,
    ) -> int: ...
    def themis_stretched_unseal(
        self,
        passphrase: _Pointer,
        stretch: _Pointer,
        sealed: _Bytes,
        sealed_len: int,
        context: _Bytes,
        context_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def themis_cell_writer_new(
        self,
        cell: _Pointer,
        message_len: int,
        context: _Bytes,
        context_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_stretched_writer(
        self,
        stretch: _Pointer,
        message_len: int,
        context: _Bytes,
        context_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_cell_writer_free(self, writer: _Pointer, /) -> None: ...
    def themis_cell_writer_part(
        self,
        writer: _Pointer,
        data: _Bytes,
        data_len: int,
        encrypted: _Bytes,
        encrypted_len: int,
        /,
    ) -> int: ...
    def themis_cell_writer_finish(
        self,
        writer: _Pointer,
        token: _Bytes,
        token_len: int,
        /,
    ) -> int: ...
    def themis_cell_reader_new(
        self,
        cell: _Pointer,
        token: _Bytes,
        sealed_len: int,
        context: _Bytes,
        context_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_stretch_to_read(
        self,
        passphrase: _Pointer,
        start: _Bytes,
        start_len: int,
        sealed_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_stretched_reader(
        self,
        stretch: _Pointer,
        start: _Bytes,
        start_len: int,
        sealed_len: int,
        context: _Bytes,
        context_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_cell_reader_free(self, reader: _Pointer, /) -> None: ...
    def themis_cell_reader_size(self, reader: _Pointer, /) -> int: ...
    def themis_cell_reader_take(self, reader: _Pointer, data: _Bytes, data_len: int, /) -> int: ...
    def themis_cell_reader_read(
        self,
        reader: _Pointer,
        piece: int,
        data: _Bytes,
        data_len: int,
        skip: int,
        out: _Bytes,
        out_len: int,
        /,
    ) -> int: ...
    def themis_message_type(self, message: _Bytes, message_len: int, /) -> int: ...
    def themis_signer_new(
        self,
        private_key: _Bytes,
        private_key_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_signer_free(self, signer: _Pointer, /) -> None: ...
    def themis_signer_signature_max(self, signer: _Pointer, /) -> int: ...
    def themis_signer_sign(
        self,
        signer: _Pointer,
        message: _Bytes,
        message_len: int,
        header: _Bytes,
        signature: _Bytes,
        signature_len: _Pointer,
        /,
    ) -> int: ...
    def themis_verifier_new(
        self,
        public_key: _Bytes,
        public_key_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_verifier_free(self, verifier: _Pointer, /) -> None: ...
    def themis_verifier_type(self, verifier: _Pointer, /) -> int: ...
    def themis_verifier_verify(
        self,
        verifier: _Pointer,
        signed_message: _Bytes,
        signed_message_len: int,
        message_len: _Pointer,
        /,
    ) -> int: ...
    def themis_message_new(
        self,
        private_key: _Bytes,
        private_key_len: int,
        public_key: _Bytes,
        public_key_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_message_free(self, message: _Pointer, /) -> None: ...
    def themis_message_own_type(self, message: _Pointer, /) -> int: ...
    def themis_message_wrap_growth(self, message: _Pointer, /) -> int: ...
    def themis_message_unwrap_growth(self, message: _Pointer, /) -> int: ...
    def themis_message_wrap(
        self,
        message: _Pointer,
        data: _Bytes,
        data_len: int,
        wrapped: _Bytes,
        wrapped_len: int,
        /,
    ) -> int: ...
    def themis_message_unwrap(
        self,
        message: _Pointer,
        wrapped: _Bytes,
        wrapped_len: int,
        data: _Bytes,
        data_len: int,
        /,
    ) -> int: ...
    def themis_sealed_size(
        self,
        start: _Bytes,
        start_len: int,
        size: _Pointer,
        why: _Pointer,
        /,
    ) -> int: ...
    def themis_sealed_read(
        self,
        head: _Bytes,
        head_len: int,
        context: _Bytes,
        context_len: int,
        out: _Pointer,
        why: _Pointer,
        slot: _Pointer,
        /,
    ) -> int: ...
    def themis_sealed_new(
        self,
        log2: int,
        context: _Bytes,
        context_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_sealed_again(
        self,
        sealed: _Pointer,
        context: _Bytes,
        context_len: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_sealed_free(self, sealed: _Pointer, /) -> None: ...
    def themis_sealed_log2(self, sealed: _Pointer, /) -> int: ...
    def themis_sealed_count(self, sealed: _Pointer, /) -> int: ...
    def themis_sealed_describe(self, sealed: _Pointer, index: int, fields: _Pointer, /) -> int: ...
    def themis_sealed_digest(self, sealed: _Pointer, digest: _Bytes, /) -> None: ...
    def themis_sealed_name(
        self,
        key: _Bytes,
        key_len: int,
        name: _Bytes,
        public_key: _Bytes,
        /,
    ) -> int: ...
    def themis_sealed_open_key(
        self,
        sealed: _Pointer,
        index: int,
        key: _Bytes,
        key_len: int,
        /,
    ) -> int: ...
    def themis_sealed_open_recipient(
        self,
        sealed: _Pointer,
        index: int,
        private_key: _Bytes,
        private_key_len: int,
        /,
    ) -> int: ...
    def themis_sealed_open_sender(
        self,
        sealed: _Pointer,
        index: int,
        private_key: _Bytes,
        private_key_len: int,
        sender: _Bytes,
        sender_len: int,
        /,
    ) -> int: ...
    def themis_sealed_open_service(
        self,
        sealed: _Pointer,
        index: int,
        plain: _Bytes,
        plain_len: int,
        /,
    ) -> int: ...
    def themis_sealed_passphrase(
        self,
        sealed: _Pointer,
        passphrase: _Bytes,
        passphrase_len: int,
        iterations: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_sealed_stretch(
        self,
        sealed: _Pointer,
        index: int,
        passphrase: _Pointer,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_sealed_open_passphrase(
        self,
        sealed: _Pointer,
        index: int,
        passphrase: _Pointer,
        stretch: _Pointer,
        /,
    ) -> int: ...
    def themis_sealed_key_slot(
        self,
        sealed: _Pointer,
        key: _Bytes,
        key_len: int,
        id: _Bytes,
        id_len: int,
        slot: _Bytes,
        slot_len: int,
        /,
    ) -> int: ...
    def themis_sealed_passphrase_slot(
        self,
        sealed: _Pointer,
        stretch: _Pointer,
        slot: _Bytes,
        slot_len: int,
        /,
    ) -> int: ...
    def themis_sealed_recipient_slot(
        self,
        sealed: _Pointer,
        public_key: _Bytes,
        public_key_len: int,
        hidden: int,
        slot: _Bytes,
        slot_len: int,
        /,
    ) -> int: ...
    def themis_sealed_sender_slot(
        self,
        sealed: _Pointer,
        private_key: _Bytes,
        private_key_len: int,
        recipient: _Bytes,
        recipient_len: int,
        slot: _Bytes,
        slot_len: int,
        /,
    ) -> int: ...
    def themis_sealed_plain(self, sealed: _Pointer, plain: _Bytes, /) -> int: ...
    def themis_sealed_mac(
        self,
        sealed: _Pointer,
        head: _Bytes,
        head_len: int,
        mac: _Bytes,
        why: _Pointer,
        slot: _Pointer,
        /,
    ) -> int: ...
    def themis_sealed_encrypt(
        self,
        sealed: _Pointer,
        number: int,
        is_last: int,
        pieces: _Bytes,
        pieces_len: int,
        chunks: _Bytes,
        chunks_len: int,
        /,
    ) -> int: ...
    def themis_sealed_decrypt(
        self,
        sealed: _Pointer,
        number: int,
        is_last: int,
        chunks: _Bytes,
        chunks_len: int,
        pieces: _Bytes,
        pieces_len: int,
        /,
    ) -> int: ...
    def themis_sealed_zeros(self, data: _Bytes, data_len: int, /) -> int: ...
    def themis_session_new(
        self,
        id: _Bytes,
        id_len: int,
        private_key: _Bytes,
        private_key_len: int,
        options: int,
        out: _Pointer,
        /,
    ) -> int: ...
    def themis_session_free(self, session: _Pointer, /) -> None: ...
    def themis_session_state(self, session: _Pointer, /) -> int: ...
    def themis_session_remote_id(self, session: _Pointer, id_len: _Pointer, /) -> _Pointer: ...
    def themis_session_refusal(self, /) -> _Pointer: ...
    def themis_session_claimed_peer(
        self,
        message: _Bytes,
        message_len: int,
        id_offset: _Pointer,
        id_len: _Pointer,
        /,
    ) -> int: ...
    def themis_session_negotiation_size(self, session: _Pointer, /) -> int: ...
    def themis_session_connect_request(
        self,
        session: _Pointer,
        out: _Bytes,
        out_len: _Pointer,
        /,
    ) -> int: ...
    def themis_session_negotiate(
        self,
        session: _Pointer,
        message: _Bytes,
        message_len: int,
        peer_key: _Bytes,
        peer_key_len: int,
        reply: _Bytes,
        reply_len: _Pointer,
        /,
    ) -> int: ...
    def themis_session_wrap(
        self,
        session: _Pointer,
        now: int,
        message: _Bytes,
        message_len: int,
        wrapped: _Bytes,
        wrapped_len: int,
        /,
    ) -> int: ...
    def themis_session_unwrap(
        self,
        session: _Pointer,
        now: int,
        wrapped: _Bytes,
        wrapped_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def themis_comparator_new(self, out: _Pointer, /) -> int: ...
    def themis_comparator_free(self, comparator: _Pointer, /) -> None: ...
    def themis_comparator_append(
        self,
        comparator: _Pointer,
        secret: _Bytes,
        secret_len: int,
        /,
    ) -> int: ...
    def themis_comparator_begin(self, comparator: _Pointer, message: _Bytes, /) -> int: ...
    def themis_comparator_expected_size(self, comparator: _Pointer, /) -> int: ...
    def themis_comparator_reply_size(self, comparator: _Pointer, /) -> int: ...
    def themis_comparator_proceed(
        self,
        comparator: _Pointer,
        message: _Bytes,
        message_len: int,
        reply: _Bytes,
        reply_len: int,
        /,
    ) -> int: ...
    def themis_comparator_result(self, comparator: _Pointer, /) -> int: ...
    def short_calls_keep_gil(self, /) -> int: ...
    def short_symmetric_key(self, key: _Bytes, /) -> int: ...
    def short_overlap(self, a: _Bytes, a_len: int, b: _Bytes, b_len: int, /) -> int: ...
    def short_key_inspect(
        self,
        key: _Bytes,
        key_len: int,
        algorithm: _Pointer,
        is_private: _Pointer,
        bits: _Pointer,
        /,
    ) -> int: ...
    def short_cell_seal(
        self,
        cell: _Pointer,
        message: _Bytes,
        message_len: int,
        context: _Bytes,
        context_len: int,
        sealed: _Bytes,
        sealed_len: int,
        /,
    ) -> int: ...
    def short_cell_unseal(
        self,
        cell: _Pointer,
        sealed: _Bytes,
        sealed_len: int,
        context: _Bytes,
        context_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def short_cell_protect(
        self,
        cell: _Pointer,
        message: _Bytes,
        message_len: int,
        context: _Bytes,
        context_len: int,
        encrypted: _Bytes,
        encrypted_len: int,
        token: _Bytes,
        /,
    ) -> int: ...
    def short_cell_unprotect(
        self,
        cell: _Pointer,
        encrypted: _Bytes,
        encrypted_len: int,
        token: _Bytes,
        context: _Bytes,
        context_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def short_cell_imprint(
        self,
        cell: _Pointer,
        data: _Bytes,
        data_len: int,
        context: _Bytes,
        context_len: int,
        out: _Bytes,
        out_len: int,
        /,
    ) -> int: ...
    def short_ring_blind_index(
        self,
        ring: _Pointer,
        index: int,
        names: _Bytes,
        names_len: int,
        data: _Bytes,
        data_len: int,
        out: _Bytes,
        /,
    ) -> int: ...
    def short_ring_encrypt(
        self,
        ring: _Pointer,
        message: _Bytes,
        message_len: int,
        context: _Bytes,
        context_len: int,
        stored: _Bytes,
        stored_len: int,
        /,
    ) -> int: ...
    def short_ring_decrypt(
        self,
        ring: _Pointer,
        stored: _Bytes,
        stored_len: int,
        context: _Bytes,
        context_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def short_ring_rotate(
        self,
        ring: _Pointer,
        stored: _Bytes,
        stored_len: int,
        context: _Bytes,
        context_len: int,
        rotated: _Bytes,
        rotated_len: int,
        /,
    ) -> int: ...
    def short_message_wrap(
        self,
        message: _Pointer,
        data: _Bytes,
        data_len: int,
        wrapped: _Bytes,
        wrapped_len: int,
        /,
    ) -> int: ...
    def short_message_unwrap(
        self,
        message: _Pointer,
        wrapped: _Bytes,
        wrapped_len: int,
        data: _Bytes,
        data_len: int,
        /,
    ) -> int: ...
    def short_session_state(self, session: _Pointer, /) -> int: ...
    def short_session_wrap(
        self,
        in_c: _Pointer,
        session: _Pointer,
        now: float,
        message: _Bytes,
        message_len: int,
        wrapped: _Bytes,
        wrapped_len: int,
        /,
    ) -> int: ...
    def short_session_unwrap(
        self,
        in_c: _Pointer,
        session: _Pointer,
        now: float,
        wrapped: _Bytes,
        wrapped_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    def slow_session_wrap(
        self,
        in_c: _Pointer,
        session: _Pointer,
        now: float,
        message: _Bytes,
        message_len: int,
        wrapped: _Bytes,
        wrapped_len: int,
        /,
    ) -> int: ...
    def slow_session_unwrap(
        self,
        in_c: _Pointer,
        session: _Pointer,
        now: float,
        wrapped: _Bytes,
        wrapped_len: int,
        message: _Bytes,
        message_len: int,
        /,
    ) -> int: ...
    # The hooks for tests, which builds with PYTHEMIS_TESTING=1 have and no release has.
    THEMIS_TESTING_SESSION_SECRETS_SIZE: Final[int]
    def themis_testing_kdf(
        self,
        key: _Bytes,
        key_len: int,
        label: _Bytes,
        label_len: int,
        contexts: _Bytes,
        contexts_len: int,
        out: _Bytes,
        out_len: int,
        /,
    ) -> int: ...
    def themis_testing_container_write(
        self,
        container: _Bytes,
        container_len: int,
        tag: _Bytes,
        /,
    ) -> int: ...
    def themis_testing_container_read(
        self,
        container: _Bytes,
        container_len: int,
        tag: _Bytes,
        payload_len: _Pointer,
        /,
    ) -> int: ...
    def themis_testing_session_secrets(
        self,
        private_ephemeral: _Bytes,
        private_ephemeral_len: int,
        is_client: int,
        peer_ephemeral: _Bytes,
        peer_ephemeral_len: int,
        client_id: _Bytes,
        client_id_len: int,
        server_id: _Bytes,
        server_id_len: int,
        out: _Bytes,
        /,
    ) -> int: ...
    def themis_testing_session_ephemeral(
        self,
        session: _Pointer,
        private_key: _Bytes,
        private_key_len: int,
        /,
    ) -> int: ...
    def themis_testing_session_numbers(
        self,
        session: _Pointer,
        next_written: int,
        next_read: int,
        /,
    ) -> int: ...
    def themis_testing_session_counts(
        self,
        session: _Pointer,
        written: int,
        moved: int,
        /,
    ) -> int: ...

ffi: _FFI
lib: _Lib
