from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef struct Table:
    const uint8_t *rows
    size_t width
    uint32_t *slots            # 0: empty; else row number + 1, and bits of its hash above it
    uint64_t n_slots
    int n_bits                 # of a row number + 1


cdef void look_up(const Table *t, const uint8_t *rows, size_t k, int64_t *out) noexcept nogil


cdef class Index:
    cdef Table table
    cdef const uint8_t[:, ::1] keep
    cdef readonly Py_ssize_t n_distinct
