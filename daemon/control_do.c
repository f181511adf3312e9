/* What quelld can be asked to do. Who may: see control_quelld.c. */
#include "daemon/control_parts.h"

const struct control_row control_dos[] = {
	{NULL, NULL},
};
