#pragma once
/* Row primitives whose loops the compiler may vectorise, sums included; each is compiled for AVX-512,
   AVX2 and the baseline and chosen when the program is loaded. The result depends on the row alone. */

float sl_dot(long n, const float *x, const float *y);
void sl_axpy(long n, float a, const float *x, float *y); /* y += a·x */
void sl_add(long n, const float *x, float *y);           /* y += x */
void sl_scale(long n, float a, float *x);
double sl_sum_of_squares(long n, const float *x);
float sl_max(long n, const float *x);

/* y = exp(x − shift); returns Σ y. y may be x. */
float sl_exp_sum(long n, const float *x, float shift, float *y);
/* Σ exp(x − shift) */
float sl_sum_exp(long n, const float *x, float shift);

/* The index at which the running sum of exp(factor·(x − max x)) passes `uniform` (in [0, 1)) of the whole: a draw
   from softmax(factor·x). */
long sl_draw(long n, const float *x, float factor, double uniform);

/* RMSNorm of one row, y = x·r·w with r = 1/√(mean x² + ε); returns r. */
float sl_rms_norm(long n, const float *x, const float *w, float epsilon, float *y);
/* dx += …, dw += … (dw may be null) */
void sl_rms_norm_backward(long n, const float *x, const float *w, float r, const float *dy, float *dx, float *dw);

/* LayerNorm of one row; statistics[0] = mean, statistics[1] = 1/√(variance + ε). */
void sl_layer_norm(long n, const float *x, const float *w, const float *b, float epsilon, float *y, float *statistics);
void sl_layer_norm_backward(long n, const float *x, const float *w, const float *statistics, const float *dy,
                            float *dx, float *dw, float *db);

/* SwiGLU: y = silu(gate)·up */
void sl_silu_multiply(long n, const float *gate, const float *up, float *y);
void sl_silu_multiply_backward(long n, const float *gate, const float *up, const float *dy, float *dgate, float *dup);
/* x·σ(1.702 x) */
void sl_quick_gelu(long n, const float *x, float *y);
void sl_quick_gelu_backward(long n, const float *x, const float *dy, float *dx);
/* x·Φ(x), by a tanh */
void sl_gelu_tanh(long n, const float *x, float *y);
void sl_gelu_tanh_backward(long n, const float *x, const float *dy, float *dx);
/* x·Φ(x), with the error function of the C library */
void sl_gelu(long n, const float *x, float *y);
void sl_gelu_backward(long n, const float *x, const float *dy, float *dx);

/* Rotates one head of width 2·half in place: (a, b) → (a·c − b·s, b·c + a·s), a and b half a head apart. */
void sl_rotate(long half, const float *cosine, const float *sine, float direction, float *x);

/* P − dP·P form of the softmax gradient: ds = p·(dp − delta)·scale, in place of dp. */
void sl_softmax_backward(long n, const float *p, float delta, float scale, float *dp);

/* One AdamW step (Loshchilov & Hutter; the arithmetic of torch.optim.AdamW). */
void sl_adamw(long n, float *value, const float *gradient, float *first, float *second, float gradient_scale,
              float rate, float beta1, float beta2, float correction1, float correction2, float epsilon,
              float decay);
