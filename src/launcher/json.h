/*
 * Whether bytes are a JSON object (RFC 8259) without any escape and without certain keys: what the client's configuration
 * nearly always is. Another one may be broken, which the client has to warn of, or may hide a key; the client itself reads it.
 */

enum { json_depth_limit = 32 };

struct json {
  const char *bytes;
  size length, at;
  const char *barred; /* a list of keys */
};

static int json_next(struct json *json) {
  while (json->at < json->length) {
    char byte = json->bytes[json->at];
    if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') return byte;
    json->at++;
  }
  return 0;
}

static int json_take(struct json *json, char wanted) {
  if (json_next(json) != wanted) return 0;
  json->at++;
  return 1;
}

static int json_string(struct json *json) {
  if (!json_take(json, '"')) return 0;
  while (json->at < json->length) {
    unsigned char byte = json->bytes[json->at++];
    if (byte == '"') return 1;
    if (byte == '\\' || byte < ' ') return 0;
  }
  return 0;
}

/* A key that is not barred, on whatever level. */
static int json_key(struct json *json) {
  json_next(json);
  size from = json->at + 1;
  if (!json_string(json)) return 0;
  for (const char *key = json->barred; *key; key = next_of(key)) {
    size same = 0;
    while (key[same] && key[same] == json->bytes[from + same]) same++;
    if (!key[same] && from + same == json->at - 1) return 0;
  }
  return 1;
}

static int json_word(struct json *json, const char *word) {
  for (; *word; word++, json->at++)
    if (json->at == json->length || json->bytes[json->at] != *word) return 0;
  return 1;
}

static size json_digits(struct json *json) {
  size from = json->at;
  while (json->at < json->length && json->bytes[json->at] >= '0' && json->bytes[json->at] <= '9') json->at++;
  return json->at - from;
}

/* Whole numbers alone: no setting is anything else. */
static int json_number(struct json *json) {
  size from = json->at;
  size digits = json_digits(json);
  return digits > 0 && (digits == 1 || json->bytes[from] != '0');
}

static int json_value(struct json *json, int depth);

static int json_members(struct json *json, char end, int depth) {
  json->at++;
  if (json_take(json, end)) return 1;
  do {
    if (end == '}' && !(json_key(json) && json_take(json, ':'))) return 0;
    if (!json_value(json, depth + 1)) return 0;
  } while (json_take(json, ','));
  return json_take(json, end);
}

static int json_value(struct json *json, int depth) {
  if (depth > json_depth_limit) return 0;
  switch (json_next(json)) {
    case '{':
      return json_members(json, '}', depth);
    case '[':
      return json_members(json, ']', depth);
    case '"':
      return json_string(json);
    case 't':
      return json_word(json, "true");
    case 'f':
      return json_word(json, "false");
    case 'n':
      return json_word(json, "null");
    default:
      return json_number(json);
  }
}

static int is_plain_object(const char *bytes, size length, const char *barred) {
  struct json json;
  json.bytes = bytes;
  json.length = length;
  json.at = 0;
  json.barred = barred;
  return json_next(&json) == '{' && json_value(&json, 0) && json_next(&json) == 0 && json.at == length;
}
