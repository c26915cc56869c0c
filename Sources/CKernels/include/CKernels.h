#pragma once
#include <stdint.h>
#include "half.h"
