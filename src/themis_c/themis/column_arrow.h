/* SPDX-License-Identifier: Apache-2.0 */
/* The structures of the Arrow C data interface, which other libraries fill and read. They are an
 * ABI: their order and types never change. What stands in them is not believed. */
#ifndef THEMIS_COLUMN_ARROW_H
#define THEMIS_COLUMN_ARROW_H

#include <stdint.h>

#define THEMIS_ARROW_NULLABLE 2 /* a flag of a schema */

struct themis_arrow_schema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct themis_arrow_schema **children;
    struct themis_arrow_schema *dictionary;
    void (*release)(struct themis_arrow_schema *schema); /* NULL: released */
    void *private_data;
};

struct themis_arrow_array {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct themis_arrow_array **children;
    struct themis_arrow_array *dictionary;
    void (*release)(struct themis_arrow_array *array); /* NULL: released */
    void *private_data;
};

struct themis_arrow_stream {
    int (*get_schema)(struct themis_arrow_stream *stream, struct themis_arrow_schema *out);
    int (*get_next)(struct themis_arrow_stream *stream, struct themis_arrow_array *out);
    const char *(*get_last_error)(struct themis_arrow_stream *stream);
    void (*release)(struct themis_arrow_stream *stream); /* NULL: released */
    void *private_data;
};

#endif
