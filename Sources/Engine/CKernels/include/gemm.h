#pragma once
/* Products whose rows do not know each other: a matrix library chooses its kernel and its blocking by the number of
   rows, so that the same row can come out with other last bits in another batch. Here every element is one chain of
   multiply-adds in the order of the sum, however the work is cut. */

#define SL_PANEL 32

enum sl_type { SL_F32, SL_F16, SL_BF16, SL_I8 };

/* Weights (n × k) as ⌈n/32⌉ panels, zero-filled: of f32 and f16 [k][32], of bf16 [⌈k/2⌉][32][2], two elements of a
   row side by side, of int8 [⌈k/2⌉][16][2][2]: those of column c, and between them those of c + 16. */
struct sl_panels {
    const void *base;
    long n, k;
    enum sl_type type;
    /* Of int8: what a 1 stands for in each of the n rows. */
    const float *scales;
};

/* "avx512", "avx2" or "baseline": chosen from the CPU at run time. */
const char *sl_instruction_set(void);

/* Whether the CPU multiplies pairs of bf16; else they are widened, and sums come out otherwise in the last bits. */
int sl_multiplies_bf16(void);

long sl_panel_bytes(enum sl_type type, long k);

/* Reads all bytes once and gives something that depends on them. */
unsigned sl_read(const void *bytes, long count);

/* Packs `count` rows of w (k elements of type `from`, `stride` elements apart, at any address) as the panels at
   `panels`; `to` is `from`, SL_BF16 or SL_I8. Of the latter each row's largest element is 127 or −127, what a 1 stands
   for goes to `scales` (NaN for a row with an element that isn't finite, and so is every product with it), and the
   elements are rounded to the nearest, ties to even. */
void sl_pack(enum sl_type to, enum sl_type from, long count, long k, const void *w, long stride, void *panels,
             float *scales);

/* y (m × columns, row stride ldy) = x (m × k) · wᵀ for the outputs from `first`, a multiple of 32; or += when
   `accumulate`. `bf16`: x is rounded to bf16, and the weights are bf16 or int8. On the calling thread, as all below. */
void sl_multiply(const struct sl_panels *w, long first, long columns, int bf16, long m, const float *x, long ldx,
                 float *y, long ldy, int accumulate);

/* The same for dx (m × columns of k) = dy (m × n) · w, not of int8. */
void sl_multiply_transposed(const struct sl_panels *w, long first, long columns, int bf16, long m, const float *dy,
                            long ldy, float *dx, long ldx, int accumulate);

/* c (m × n) = op(a) (m × k) · op(b) (k × n), all of floats with row strides ld…, whose factors are rounded to bf16; or
   += when `accumulate`. op turns what it `transposes`. */
void sl_multiply_bf16(long m, long n, long k, const float *a, long lda, int transposes_a, const float *b, long ldb,
                      int transposes_b, float *c, long ldc, int accumulate);
