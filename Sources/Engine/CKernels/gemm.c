/* Products over panels of 32 columns. See include/gemm.h. */
#include "panels.h"
#include <stdlib.h>

#define PANEL SL_PANEL

#pragma clang fp contract(fast)

/* What a tile does with y: sets it, goes on with the sums that stand there, or adds whole sums to it. */
enum target { SET, CONTINUE, ADD_TO };

typedef void (*tile_function)(long, const float *, const void *, float *, long, int, enum target, const char *, long);

INLINE void read_16(const float *row, int first, int columns, vec16 *x) {
    if (first + 16 <= columns) *x = *(const vec16 *)(row + first);
    else for (int e = 0; first + e < columns; e++) (*x)[e] = row[first + e];
}

#define FLOAT_LOAD(b, i, j) (*(const vec16 *)((const float *)(b) + (i) * PANEL + (j) * 16))
#define FLOAT_BROADCAST(p) ((vec16){0} + *(p))
#define FLOAT_ADD(c, x, w) ((c) + (x) * (w))

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
#define NAME(x) avx512_##x
#define TILE_ROWS 14
#define COLS 2
#define LOAD(b, i, j) FLOAT_LOAD(b, i, j)
#define BROADCAST(p) FLOAT_BROADCAST(p)
#define ADD(c, x, w) FLOAT_ADD(c, x, w)
#include "gemm_tile.inc"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), apply_to = function)
#define NAME(x) bf16_##x
#define TILE_ROWS 14
#define COLS 2
#define LOAD(b, i, j) FLOAT_LOAD(b, i, j)
#define BROADCAST(p) ((vec16)_mm512_set1_ps(*(p)))
#define ADD(c, x, w) ((vec16)_mm512_dpbf16_ps((__m512)(c), (__m512bh)(x), (__m512bh)(w)))
#include "gemm_tile.inc"
#pragma clang attribute pop

/* The same with weights of int8, widened on the way. */
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi"))),      \
                             apply_to = function)
#define NAME(x) int8_##x
#define TILE_ROWS 14
#define COLS 2
#define LOAD(b, i, j) sl_wide_pairs((const char *)(b) + (i) * PANEL * 2, (j) % 2)
#define BROADCAST(p) ((vec16)_mm512_set1_ps(*(p)))
#define ADD(c, x, w) ((vec16)_mm512_dpbf16_ps((__m512)(c), (__m512bh)(x), (__m512bh)(w)))
#include "gemm_tile.inc"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(x) avx2_##x
#define TILE_ROWS 6
#define COLS 1
#define LOAD(b, i, j) FLOAT_LOAD(b, i, j)
#define BROADCAST(p) FLOAT_BROADCAST(p)
#define ADD(c, x, w) FLOAT_ADD(c, x, w)
#include "gemm_tile.inc"
#pragma clang attribute pop

#define NAME(x) plain_##x
#define TILE_ROWS 6
#define COLS 1
#define LOAD(b, i, j) FLOAT_LOAD(b, i, j)
#define BROADCAST(p) FLOAT_BROADCAST(p)
#define ADD(c, x, w) FLOAT_ADD(c, x, w)
#include "gemm_tile.inc"

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

int sl_multiplies_bf16(void) { return instruction_set() == 2 && __builtin_cpu_supports("avx512bf16"); }

/* Memory of a worker for the life of the process, grown as needed. */
struct scratch {
    void *bytes;
    unsigned long held;
};

static void *grown(struct scratch *scratch, unsigned long need) {
    if (need > scratch->held) {
        free(scratch->bytes);
        scratch->bytes = aligned_alloc(64, (need + 63) / 64 * 64);
        if (!scratch->bytes) abort();
        scratch->held = need;
    }
    return scratch->bytes;
}

static long min(long a, long b) { return a < b ? a : b; }
static long max(long a, long b) { return a > b ? a : b; }

/* Blocks of the left factor that fit in a part of the second-level cache. How it is cut doesn't show in the sums. */
#define MOST_ROWS 224
#define LEFT_BYTES 786432

/* y (m × columns, the right factor's from `first`) = left · right over `inner` sums, or += when `accumulate`. */
static void product(const struct sl_left *left, const struct sl_right *right, int bf16, long m, long first,
                    long columns, long inner, float *y, long ldy, int accumulate) {
    static _Thread_local struct scratch left_scratch, right_scratch, sums_scratch;
    static const tile_function *const sets[] = {plain_tiles, avx2_tiles, avx512_tiles};
    int int8 = right->w.type == SL_I8;
    int pairs = bf16 && sl_multiplies_bf16() && (!int8 || __builtin_cpu_supports("avx512vbmi"));
    int rounded = bf16 && !pairs;
    long tile_rows = instruction_set() == 2 ? 14 : 6, element = pairs ? 2 : 4;
    /* One tile widens int8 itself; for several it is laid out once. */
    int widens = int8 && pairs && m <= tile_rows;
    int lies = right->kind == SL_PANELS && (widens || right->w.type == (pairs ? SL_BF16 : SL_F32));
    const tile_function *tiles = widens ? int8_tiles : pairs ? bf16_tiles : sets[instruction_set()];
    /* What has to be laid out first is kept for more rows, in shorter pieces. */
    long block = min(m, lies ? MOST_ROWS : 2 * MOST_ROWS);
    long longest = lies ? inner : block <= 28 ? PANEL * 4 : PANEL * 16;
    long chunk = LEFT_BYTES / element / max(block, 1) / PANEL * PANEL;
    chunk = min(inner, min(longest, max(chunk, PANEL * 4)));
    long panel_bytes = sl_panel_bytes(right->w.type, right->w.k);
    char *a = grown(&left_scratch, (unsigned long)((chunk + 1) * block * element + 128));
    void *turned = grown(&right_scratch, (unsigned long)((chunk + PANEL) * PANEL * 4));
    const float *scales = right->w.scales ? right->w.scales + first : 0;
    /* Sums over several chunks, or without their scales, stand in y meanwhile, unless y has to be kept. */
    int apart = accumulate && (chunk < inner || scales);
    float *sums = apart ? grown(&sums_scratch, (unsigned long)(block * columns * 4)) : 0;
    for (long m0 = 0; m0 < m; m0 += block) {
        long rows = min(block, m - m0);
        long count = (rows + tile_rows - 1) / tile_rows; /* tiles of even height: 16 rows are 8 + 8 */
        float *out = apart ? sums : y + m0 * ldy;
        long ldo = apart ? columns : ldy;
        for (long start = 0; start < inner; start += chunk) {
            long length = min(chunk, inner - start), steps = pairs ? (length + 1) / 2 : length;
            /* Rows of what is transposed lie pages apart: a few of them are taken to all tiles at once. */
            long few = left->transposed ? PANEL : length;
            for (long i = 0; i < length; i += few)
                for (long t = 0; t < count; t++) {
                    long from = rows * t / count, to = rows * (t + 1) / count;
                    sl_left_tile(left, m0 + from, to - from, start + i, min(few, length - i), pairs, rounded,
                                 a + (from * steps + (pairs ? i / 2 : i) * (to - from)) * 4);
                }
            enum target target = start > 0 ? CONTINUE : accumulate && !apart ? ADD_TO : SET;
            for (long p = 0; p < columns; p += PANEL) {
                long width = min(PANEL, columns - p);
                const void *panel = turned;
                const char *lying = 0;
                if (right->kind == SL_PANELS)
                    lying = (const char *)right->w.base + (first + p) / PANEL * panel_bytes +
                            sl_panel_bytes(right->w.type, start);
                if (lies) panel = lying;
                else sl_right_panel(right, first + p, width, start, length, pairs, rounded, turned);
                /* Each tile fetches its share of the next panel, which would else come from memory while one waits.
                   One tile that reads what lies there is served well by the machine itself. */
                int fetches = lying && p + PANEL < columns && (count > 1 || !lies);
                const char *next = panel;
                long stride = 0;
                if (fetches) {
                    next = lying + panel_bytes;
                    stride = (sl_panel_bytes(right->w.type, length) + steps * count - 1) / (steps * count);
                }
                for (long t = 0; t < count; t++) {
                    long from = rows * t / count, to = rows * (t + 1) / count;
                    tiles[to - from - 1](steps, (const float *)(a + from * steps * 4), panel, out + from * ldo + p,
                                         ldo, (int)width, target, next + t * steps * stride, stride);
                }
            }
        }
        for (long r = 0; scales && r < rows; r++)
            for (long c = 0; c < columns; c++) out[r * ldo + c] *= scales[c];
        if (apart)
            for (long r = 0; r < rows; r++)
                for (long c = 0; c < columns; c++) y[(m0 + r) * ldy + c] += sums[r * columns + c];
    }
}

void sl_multiply(const struct sl_panels *w, long first, long columns, int bf16, long m, const float *x, long ldx,
                 float *y, long ldy, int accumulate) {
    struct sl_left left = {x, ldx, 0};
    struct sl_right right = {SL_PANELS, *w, 0};
    product(&left, &right, bf16, m, first, columns, w->k, y, ldy, accumulate);
}

void sl_multiply_transposed(const struct sl_panels *w, long first, long columns, int bf16, long m, const float *dy,
                            long ldy, float *dx, long ldx, int accumulate) {
    struct sl_left left = {dy, ldy, 0};
    struct sl_right right = {SL_TRANSPOSED, *w, 0};
    product(&left, &right, bf16, m, first, columns, w->n, dx, ldx, accumulate);
}

void sl_multiply_bf16(long m, long n, long k, const float *a, long lda, int transposes_a, const float *b, long ldb,
                      int transposes_b, float *c, long ldc, int accumulate) {
    struct sl_left left = {a, lda, transposes_a};
    struct sl_right right = {transposes_b ? SL_COLUMNS : SL_ROWS, {b, k, n, SL_F32, 0}, ldb};
    product(&left, &right, 1, m, 0, n, k, c, ldc, accumulate);
}
