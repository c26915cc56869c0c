#pragma once
/* How factors are laid out for the tiles of gemm.c. */
#include "gemm.h"
#include <immintrin.h>
#include <stdint.h>

typedef float vec16 __attribute__((vector_size(64), aligned(4)));

#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define INLINE static inline __attribute__((always_inline))

/* Element i of vector r becomes element r of vector i: four perfect shuffles. Bits stay as they are. */
INLINE void sl_transpose_16(vec16 *v) {
    vec16 w[16];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 8; i++) {
            w[2 * i] = __builtin_shufflevector(v[i], v[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            w[2 * i + 1] =
                __builtin_shufflevector(v[i], v[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (int i = 0; i < 16; i++) v[i] = w[i];
    }
}

/* The left factor: rows of x, or columns of it when `transposed`. */
struct sl_left {
    const float *x;
    long stride;
    int transposed;
};

/* The right factor, whose columns are cut into panels of 32: weights, weights taken transposed, or a matrix of
   floats (`type` SL_F32, rows `stride` floats apart) as it is or taken transposed. */
struct sl_right {
    enum { SL_PANELS, SL_TRANSPOSED, SL_ROWS, SL_COLUMNS } kind;
    struct sl_panels w;
    long stride;
};

/* What a tile reads of the left factor: `rows` rows (at most 16) from `first`, sums from `start` over `count`, as
   [count][rows] floats, or with `pairs` [⌈count/2⌉][rows] pairs of bf16. Up to 15 elements behind the last one are
   spoilt. `rounded`: floats that bf16 can hold. */
void sl_left_tile(const struct sl_left *left, long first, long rows, long start, long count, int pairs, int rounded,
                  void *to);

/* What a tile reads of the right factor: the panel of 32 columns from `column`, sums from `start` (a multiple of 32)
   over `count`: [count][32] floats, or with `pairs` [⌈count/2⌉][32] pairs of bf16, in `scratch`, which holds
   128·(count + 32) bytes. `columns` of the 32 exist. */
void sl_right_panel(const struct sl_right *right, long column, long columns, long start, long count, int pairs,
                    int rounded, void *scratch);

/* CPUs that multiply pairs of bf16, which also round to them; subnormal numbers become 0, as they would in the
   product. */
#define PAIRS __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

PAIRS INLINE vec16 sl_rounded_pairs(vec16 first, vec16 second) {
    return (vec16)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}

#define WIDENS __attribute__((target("avx512f,avx512bw,avx512vbmi")))

/* The lower and the upper bytes of 0 to 127 in bf16. */
extern const uint8_t sl_bf16_bytes[2][128];

/* Columns 0 to 15 or, of the second half, 16 to 31 of two rows of int8 as pairs of bf16, which can hold them. */
WIDENS INLINE vec16 sl_wide_pairs(const void *rows, int half) {
    __m512i bytes = _mm512_loadu_si512(rows), size = _mm512_abs_epi8(bytes);
    const uint8_t(*known)[128] = sl_bf16_bytes;
    __m512i lower = _mm512_permutex2var_epi8(_mm512_loadu_si512(known[0]), size, _mm512_loadu_si512(known[0] + 64));
    __m512i upper = _mm512_permutex2var_epi8(_mm512_loadu_si512(known[1]), size, _mm512_loadu_si512(known[1] + 64));
    upper |= bytes & _mm512_set1_epi8(-128);
    return half ? (vec16)(_mm512_srli_epi16(lower, 8) | (upper & _mm512_set1_epi16(-256)))
                : (vec16)((lower & _mm512_set1_epi16(255)) | _mm512_slli_epi16(upper, 8));
}
