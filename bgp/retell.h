/* See speaker_retell(). */
#pragma once

struct speaker;

/* One slice. */
void retell_run(struct speaker *s);
/* Before the RIBs go. */
void retell_stop(struct speaker *s);
