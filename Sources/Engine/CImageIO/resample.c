#include "CImageIO.h"

#include <string.h>

/* In C for the sake of one attribute: without 32-bit SIMD multiplication (SSE 4.1), which the baseline of
 * x86-64 lacks, both passes take several times as long. The result is the same bytes either way. */
#if defined(__x86_64__)
#define VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORISED
#endif

enum { PRECISION_BITS = 22, HALF = 1 << (PRECISION_BITS - 1), BLOCK = 32 };

static inline uint8_t clip(int32_t sum) {
    sum >>= PRECISION_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint8_t pixel __attribute__((vector_size(4)));

VECTORISED
void cimage_resample_row(const uint8_t *row, const cimage_tap_range *ranges, const int32_t *weights,
                         size_t stride, size_t targets, uint8_t *out) {
    for (size_t x = 0; x < targets; x++, weights += stride, out += 3) {
        const uint8_t *from = row + 3 * (size_t)ranges[x].start;
        lanes sum = {HALF, HALF, HALF, 0};
        for (uint32_t tap = 0; tap < ranges[x].count; tap++, from += 3) {
            pixel samples;
            memcpy(&samples, from, 4);
            sum += __builtin_convertvector(samples, lanes) * weights[tap];
        }
        for (int c = 0; c < 3; c++) out[c] = clip(sum[c]);
    }
}

VECTORISED
void cimage_resample_column(const uint8_t *rows, size_t row_bytes, const int32_t *weights, size_t taps,
                            uint8_t *out) {
    size_t x = 0;
    for (; x + BLOCK <= row_bytes; x += BLOCK) {
        int32_t sums[BLOCK];
        for (int i = 0; i < BLOCK; i++) sums[i] = HALF;
        for (size_t tap = 0; tap < taps; tap++) {
            const uint8_t *from = rows + tap * row_bytes + x;
            for (int i = 0; i < BLOCK; i++) sums[i] += from[i] * weights[tap];
        }
        for (int i = 0; i < BLOCK; i++) out[x + i] = clip(sums[i]);
    }
    for (; x < row_bytes; x++) {
        int32_t sum = HALF;
        for (size_t tap = 0; tap < taps; tap++) sum += rows[tap * row_bytes + x] * weights[tap];
        out[x] = clip(sum);
    }
}
