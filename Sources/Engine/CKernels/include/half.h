#pragma once
#include <stddef.h>
#include <stdint.h>

/// Widening is exact, NaN payloads and subnormals included. Narrowing rounds to nearest, ties to
/// even; overflow becomes infinity; a NaN stays a NaN (made quiet). The half side may be unaligned,
/// as tensors in a mapped safetensors file can be. Results do not depend on the CPU.
void sl_widen_f16(const void *source, float *destination, size_t count);
void sl_widen_bf16(const void *source, float *destination, size_t count);
void sl_narrow_f16(const float *source, void *destination, size_t count);
void sl_narrow_bf16(const float *source, void *destination, size_t count);
