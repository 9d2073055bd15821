/*
 * fuzz_control.c -- octets -> request -> command, and what is said back: the
 * request must come out again as it was, a refusal must be one printable
 * sentence, and JSON that quotes the words must be JSON.
 */
#include <jansson.h>
#include <string.h>

#include "lib/cmd.h"
#include "lib/ctlproto.h"
#include "lib/out.h"
#include "tests/fuzz/must.h"

static void
check_request(const struct cmd_req *r, const struct ctl_request *q)
{
	const char *value[] = { r->neighbor, r->reason, r->text };
	char syntax[CMD_SYNTAXLEN];

	MUST(r->id < CMD_N);
	MUST(cmd_find(r->id)->id == r->id);
	MUST(strlen(cmd_syntax(cmd_find(r->id), syntax, sizeof syntax)) > 0);
	MUST(!(r->in && r->out));
	MUST(!r->is_addr || r->has_prefix);
	MUST(r->text == NULL || strlen(r->text) <= CMD_TEXT_MAX);
	if (r->has_prefix) {
		unsigned int bits = fam_bits(r->prefix.addr.fam);

		MUST(bits > 0 && r->prefix.len <= bits);
		MUST(!r->is_addr || r->prefix.len == bits);
	}
	for (size_t i = 0; i < 3; i++) {
		size_t j = 0;

		if (value[i] == NULL)
			continue;
		while (j < q->n && q->word[j] != value[i])
			j++;
		MUST(j < q->n && value[i][0] != '\0');
	}
}

static void
check_refusal(const char *err)
{
	char safe[4 * CMD_ERRLEN];
	size_t n = strlen(err);

	MUST(n > 0 && n < CMD_ERRLEN);
	for (size_t i = 0; i < n; i++)
		MUST((unsigned char)err[i] >= 0x20 && err[i] != 0x7f);
	out_safe(err, safe, sizeof safe);
	/* Only backslashes, of escapes, may have changed. */
	for (const char *a = err, *b = safe; *a != '\0'; a++, b++) {
		MUST(*a == *b);
		if (*a == '\\')
			MUST(*++b == '\\');
	}
}

static void
check_json(const struct ctl_request *q)
{
	struct out *o = out_new(true);
	json_error_t e;
	const void *p;
	size_t n;
	json_t *j;

	out_obj(o, NULL);
	out_arr(o, "words");
	for (size_t i = 0; i < q->n; i++)
		out_str(o, NULL, q->word[i]);
	out_end(o);
	out_end(o);
	p = out_pending(o, &n);
	j = json_loadb(p, n, 0, &e);
	MUST(j != NULL);
	MUST(json_array_size(json_object_get(j, "words")) == q->n);
	json_decref(j);
	out_free(o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t back[CTL_REQUEST_MAX + 1];
	struct ctl_request q;
	enum ctl_verdict v = ctl_request_parse(data, size, &q);
	char err[CMD_ERRLEN];
	struct ctl_frame f;
	struct cmd_req r;
	struct wbuf w;

	if (size >= CTL_HEAD_LEN && ctl_frame_parse(data, &f)) {
		uint8_t head[CTL_HEAD_LEN];

		ctl_frame_write(head, f.type, f.len);
		MUST(memcmp(head, data, sizeof head) == 0);
	}
	MUST(
	    (ctl_verdict_text(v)[0] == '\0') == (v == CTL_OK || v == CTL_MORE));
	MUST(v != CTL_MORE || size < CTL_REQUEST_MAX);
	if (v != CTL_OK)
		return 0;
	/* However it is cut, no part of it is taken for the whole. */
	for (size_t i = 0; i < size; i += 1 + i / 64)
		MUST(ctl_request_parse(data, i, &q) == CTL_MORE);
	MUST(ctl_request_parse(data, size, &q) == CTL_OK);
	wbuf_init(&w, back, sizeof back);
	MUST(ctl_request_write(&w, q.n, q.word) == CTL_OK);
	MUST(w.len == size && memcmp(back, data, size) == 0);
	if (cmd_parse(q.n, q.word, &r, err) == CMD_DONE)
		check_request(&r, &q);
	else
		check_refusal(err);
	check_json(&q);
	return 0;
}
