/*
 * journal: journal.jsonl of a run folder, as the trainer writes it. One JSON object a line, `kind` first; the first
 * line is the recipe. Lines are appended and synced one by one. A last line without its newline was cut short by a kill
 * and does not count. Nothing in it depends on the clock, so a resumed run has the journal of an uninterrupted one,
 * byte for byte.
 *
 *   {"kind":"recipe","version":1,"model":{config.json},"options":{...},"dataset":{...},"tokenizer":HEX|null,
 *    "drop":HEX|null,"steps":N}
 *   {"kind":"epoch","epoch":E,"step":N,"lr":X,"loss":X,"heldout":X|null}
 *   {"kind":"checkpoint","step":N,"lr":X,"loss":X,"heldout":X|null,"sha256":HEX}
 *   {"kind":"finished","step":N,"sha256":HEX}
 */
#ifndef BYLINE_TRAIN_JOURNAL_H
#define BYLINE_TRAIN_JOURNAL_H

#include "byline/train.h"

char *journal_path(const char *dir);

/* The recipe line of a run; new reference. tokenizer: hex, or NULL. */
json_t *journal_recipe(const struct model *m, const struct train_spec *spec, const char *tokenizer);
/* The first line of the journal there is; *out NULL when there is none. sha256 is of its bytes. */
enum err journal_find_recipe(const char *dir, json_t **out, char sha256[HASH_HEX]);
/* OK, or ERR_MISMATCH naming the first field in which the run in `dir` differs from `mine`. */
enum err journal_same_recipe(const char *dir, const json_t *there, const json_t *mine);

/* A journal of the recipe alone, in place of what there was. */
enum err journal_begin(const char *dir, const json_t *recipe);
/* Appends a line and syncs; takes the reference. After a failure the journal is as it was. */
enum err journal_append(const char *dir, json_t *line);
enum err journal_size(const char *dir, uint64_t *bytes);
/* Forgets all after `bytes`, which must be the end of a line. */
enum err journal_cut(const char *dir, uint64_t bytes);

/* What train_journal_read does with the bytes of the file; `name` is what messages call it. On failure j is empty. */
enum err journal_parse(struct train_journal *j, const char *name, const char *text, size_t n);

json_t *journal_epoch(const struct train_status *s);
json_t *journal_checkpoint(const struct train_status *s, const char *sha256);
json_t *journal_finished(int64_t step, const char *sha256);

#endif
