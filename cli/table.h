/* Tables are lib/table.h's. */
#pragma once
#include "lib/table.h"
