#pragma once
/* The product whose rows do not know each other: OpenBLAS chooses its kernel and its blocking by the
   number of rows, so that the same row can come out with other last bits in another batch. Here every
   element is one chain of multiply-adds in the order of k. */

#define SL_PANEL 32

/* "avx512", "avx2" or "baseline": chosen from the CPU at run time. */
const char *sl_instruction_set(void);

/* Packs w (n × k, element (j, i) at w[j·row_stride + i·column_stride]) into ⌈n/32⌉ panels of [k][32],
   zero-filled; `packed` holds ⌈n/32⌉·32·k floats. */
void sl_pack_weights(long n, long k, const float *w, long row_stride, long column_stride, float *packed);

/* y (m × n, row stride ldy) = x (m × k, row stride ldx) · wᵀ, or += when `accumulate`; on the calling thread. */
void sl_gemm_packed(long m, long n, long k, const float *x, long ldx, const float *packed, float *y, long ldy,
                    int accumulate);
