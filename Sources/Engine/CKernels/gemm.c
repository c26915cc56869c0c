/* y = x · wᵀ over weights packed into panels of 32 columns. See include/gemm.h. */
#include "gemm.h"
#include <stdlib.h>

#define PANEL SL_PANEL
typedef float vec16 __attribute__((vector_size(64), aligned(4)));

#pragma clang fp contract(fast)

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
#define NAME(x) avx512_##x
#define TILE_ROWS 14
#define COLS 2
#include "gemm_tile.inc"
#undef NAME
#undef TILE_ROWS
#undef COLS
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(x) avx2_##x
#define TILE_ROWS 6
#define COLS 1
#include "gemm_tile.inc"
#undef NAME
#undef TILE_ROWS
#undef COLS
#pragma clang attribute pop

#define NAME(x) plain_##x
#define TILE_ROWS 6
#define COLS 1
#include "gemm_tile.inc"
#undef NAME
#undef TILE_ROWS
#undef COLS

typedef void (*tile_function)(int, long, const float *, const float *, float *, long, int, int, const float *, long);

static int instruction_set(void) {
    static int known = -1;
    if (known < 0) {
        __builtin_cpu_init();
        known = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
                    ? 2
                : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1
                                                                                   : 0;
    }
    return known;
}

const char *sl_instruction_set(void) {
    static const char *const names[] = {"baseline", "avx2", "avx512"};
    return names[instruction_set()];
}

void sl_pack_weights(long n, long k, const float *w, long row_stride, long column_stride, float *packed) {
    for (long p = 0; p * PANEL < n; p++) {
        long columns = n - p * PANEL < PANEL ? n - p * PANEL : PANEL;
        const float *from = w + p * PANEL * row_stride;
        float *to = packed + p * PANEL * k;
        if (columns < PANEL) {
            for (long i = 0; i < k * PANEL; i++) to[i] = 0;
        }
        if (row_stride == 1) {
            for (long i = 0; i < k; i++)
                for (long j = 0; j < columns; j++) to[i * PANEL + j] = from[i * column_stride + j];
        } else {
            for (long i0 = 0; i0 < k; i0 += 16) {
                long end = i0 + 16 < k ? i0 + 16 : k;
                for (long j = 0; j < columns; j++)
                    for (long i = i0; i < end; i++)
                        to[i * PANEL + j] = from[j * row_stride + i * column_stride];
            }
        }
    }
}

/* Element i of vector r becomes element r of vector i: four perfect shuffles. */
static inline __attribute__((always_inline)) void transpose_16(vec16 *v) {
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

/* x (rows × k, at most 16 rows) as [k][rows]. Whole vectors are written in order, the end of each over by the next:
   up to 15 floats behind the last one are spoilt. */
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
static void pack_rows(long rows, long k, const float *x, long ldx, float *to) {
    long i = 0;
    for (; i + 16 <= k; i += 16) {
        vec16 v[16];
        for (int r = 0; r < 16; r++) v[r] = *(const vec16 *)(x + (r < rows ? r : 0) * ldx + i);
        transpose_16(v);
        for (int j = 0; j < 16; j++) *(vec16 *)(to + (i + j) * rows) = v[j];
    }
    for (; i < k; i++)
        for (long r = 0; r < rows; r++) to[i * rows + r] = x[r * ldx + i];
}

static long scratch_floats(long k) {
    /* as many rows as fit in a part of the second-level cache, at least one tile */
    long rows = 98304 / (k > 0 ? k : 1) / 14 * 14;
    return (rows < 14 ? 14 : rows > 224 ? 224 : rows) * k;
}

static void gemm_packed(long m, long n, long k, const float *x, long ldx, const float *packed, float *y, long ldy,
                    int accumulate, float *scratch) {
    static const tile_function tiles[] = {plain_tile, avx2_tile, avx512_tile};
    int set = instruction_set();
    tile_function tile = tiles[set];
    long tile_rows = set == 2 ? 14 : 6;
    long block = scratch_floats(k) / (k > 0 ? k : 1);
    for (long m0 = 0; m0 < m; m0 += block) {
        long rows = m - m0 < block ? m - m0 : block;
        long count = (rows + tile_rows - 1) / tile_rows; /* tiles of even height: 16 rows are 8 + 8 */
        for (long t = 0; t < count; t++) {
            long first = rows * t / count, last = rows * (t + 1) / count;
            pack_rows(last - first, k, x + (m0 + first) * ldx, ldx, scratch + first * k);
        }
        for (long p = 0; p * PANEL < n; p++) {
            int columns = (int)(n - p * PANEL < PANEL ? n - p * PANEL : PANEL);
            const float *panel = packed + p * PANEL * k;
            /* Each tile fetches its share of the next panel, which would else come from memory while one waits. */
            long step = count > 1 && (p + 1) * PANEL < n ? (PANEL + count - 1) / count : 0;
            for (long t = 0; t < count; t++) {
                long first = rows * t / count, last = rows * (t + 1) / count;
                tile((int)(last - first), k, scratch + first * k, panel, y + (m0 + first) * ldy + p * PANEL, ldy,
                     columns, accumulate, step ? panel + PANEL * k + t * k * step : panel, step);
            }
        }
    }
}

void sl_gemm_packed(long m, long n, long k, const float *x, long ldx, const float *packed, float *y,
                             long ldy, int accumulate) {
    static _Thread_local float *scratch; /* one per worker for the life of the process, grown as needed */
    static _Thread_local long held;
    long need = scratch_floats(k) + 16; /* pack_rows writes past its end */
    if (need > held) {
        free(scratch);
        scratch = aligned_alloc(64, ((unsigned long)need * sizeof(float) + 63) / 64 * 64);
        if (!scratch) abort();
        held = need;
    }
    gemm_packed(m, n, k, x, ldx, packed, y, ldy, accumulate, scratch);
}
