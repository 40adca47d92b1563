/* The question to the engine, whole: docs/hosted-commands.md. */

enum { head_room = 256, request_room = head_room + body_limit };

/* The strings of the request's body; false if there is no telling them, or they are too many. */
static int compose_body(struct text *body, char **arguments, const struct situation *situation) {
  append(body, build_id);
  end_string(body);
  /* getcwd(2): its length with the zero byte; no path where the folder is out of reach */
  char *folder = body->bytes + body->length;
  long length = system_call(call_getcwd, (long)folder, body->limit - body->length, 0, 0);
  if (length < 0 || *folder != '/') return 0;
  body->length += length;
  append(body, situation->terminals);
  append(body, " ");
  append_number(body, situation->window.rows);
  append(body, " ");
  append_number(body, situation->window.columns);
  end_string(body);
  size count = 0;
  for (int place = 0; place < hosted_variable_count; place++) count += situation->variables[place] != 0;
  append_number(body, count);
  end_string(body);
  for (int place = 0; place < hosted_variable_count; place++)
    if (situation->variables[place]) {
      append(body, situation->variables[place]);
      end_string(body);
    }
  for (arguments++; *arguments; arguments++) {
    append(body, *arguments);
    end_string(body);
  }
  return !body->overflow;
}

/* Writes the request into a buffer of `request_room` and answers where it begins; 0 if there is none. */
static const char *compose_request(char *buffer, size *length, char **arguments,
                                   const struct situation *situation) {
  char bytes[head_room];
  struct text head, body;
  begin_text(&body, buffer + head_room, body_limit);
  if (!compose_body(&body, arguments, situation)) return 0;
  begin_text(&head, bytes, sizeof bytes);
  append(&head,
         "POST /berth/command HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: berth-command\r\n"
         "Content-Type: application/octet-stream\r\nContent-Length: ");
  append_number(&head, body.length);
  append(&head, "\r\n\r\n");
  /* right before the body */
  char *start = body.bytes - head.length;
  for (size at = 0; at < head.length; at++) start[at] = bytes[at];
  *length = head.length + body.length;
  return head.overflow ? 0 : start;
}
