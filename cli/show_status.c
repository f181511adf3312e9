/* `quell show status`: both daemons, every field that they tell. */
#include "cli/show.h"

#include "cli/value.h"

void show_status(const json_t *answer, const struct show_options *o, FILE *out)
{
	const json_t *program;
	size_t i;

	json_array_foreach(json_object_get(answer, "programs"), i, program)
	{
		if (i)
			fputc('\n', out);
		value_print_fields(program, o->colour, out);
	}
}
