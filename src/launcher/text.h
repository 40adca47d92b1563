/* Strings that end with a zero byte, and lists of them: one after the other, ended by an empty one. */

static size length_of(const char *text) {
  size length = 0;
  while (text[length]) length++;
  return length;
}

static int equal(const char *one, const char *other) {
  while (*one && *one == *other) one++, other++;
  return *one == *other;
}

/* What follows `start` in `text`; 0 if it begins otherwise. */
static const char *after(const char *start, const char *text) {
  while (*start && *start == *text) start++, text++;
  return *start ? 0 : text;
}

static const char *next_of(const char *list) { return list + length_of(list) + 1; }

static int holds(const char *bytes, size length, const char *wanted) {
  for (size at = 0; at < length; at++) {
    size same = 0;
    while (wanted[same] && at + same < length && bytes[at + same] == wanted[same]) same++;
    if (!wanted[same]) return 1;
  }
  return 0;
}

/* Text that grows to a limit; what does not fit makes it overflow, for good. */
struct text {
  char *bytes;
  size length, limit;
  int overflow;
};

static void begin_text(struct text *text, char *bytes, size limit) {
  text->bytes = bytes;
  text->limit = limit;
  text->length = text->overflow = 0;
}

static void append_bytes(struct text *to, const char *bytes, size length) {
  if (to->overflow || length > to->limit - to->length) {
    to->overflow = 1;
    return;
  }
  for (size at = 0; at < length; at++) to->bytes[to->length++] = bytes[at];
}

static void append(struct text *to, const char *text) { append_bytes(to, text, length_of(text)); }

static void append_number(struct text *to, size number) {
  char digits[20];
  size at = sizeof digits;
  do digits[--at] = '0' + number % 10;
  while (number /= 10);
  append_bytes(to, digits + at, sizeof digits - at);
}

/* The zero byte that ends a string of the request. */
static void end_string(struct text *to) { append_bytes(to, "", 1); }
