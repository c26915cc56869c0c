#pragma once
#include "gemm.h"
#include "vector.h"
#include "half.h"
#include "attend.h"
#include "pause.h"
