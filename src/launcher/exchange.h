/* The conversation with the engine: one request, an answer that is a stream of frames. docs/hosted-commands.md has the protocol. */

enum {
  answer_head_limit = 16 << 10,
  frame_head = 8,
  stream_output = 1,
  stream_error = 2,
  stream_end = 3,
  stream_declined = 4,
  broken_pipe_code = 141, /* what a shell tells of a process that SIGPIPE ended */
};

/* A connected socket; negative where nobody answers, whatever the reason. */
static long connect_to(const char *path) {
  struct unix_address address;
  size length = length_of(path);
  address.family = unix_family;
  for (size at = 0; at <= length; at++) address.path[at] = path[at];
  long socket = system_call(call_socket, unix_family, stream_socket, 0, 0);
  if (socket < 0) return socket;
  long result = persistent_call(call_connect, socket, (long)&address, sizeof address.family + length + 1);
  if (result == 0) return socket;
  system_call(call_close, socket, 0, 0, 0);
  return result;
}

static int send_all(long socket, const char *bytes, size length) {
  while (length > 0) {
    struct piece piece;
    struct message message;
    piece.bytes = bytes;
    piece.length = length;
    message.name = message.control = 0;
    message.name_length = message.control_length = message.flags = 0;
    message.pieces = &piece;
    message.piece_count = 1;
    long sent = persistent_call(call_sendmsg, socket, (long)&message, no_signal);
    if (sent < 0) return 0;
    bytes += sent;
    length -= sent;
  }
  return 1;
}

/* What was received and not yet used: from `at` to `end`. */
struct receiver {
  long socket;
  char *bytes;
  size at, end, room;
};

/* Receives more, behind what is there; false at the end, for an error, or without room. */
static int receive(struct receiver *from) {
  if (from->end == from->room) return 0;
  long length =
      persistent_call(call_read, from->socket, (long)(from->bytes + from->end), from->room - from->end);
  if (length <= 0) return 0;
  from->end += length;
  return 1;
}

/* Receives until `length` bytes are there, moving what is there to the front. */
static int receive_at_least(struct receiver *from, size length) {
  size there = from->end - from->at;
  for (size at = 0; at < there; at++) from->bytes[at] = from->bytes[from->at + at];
  from->at = 0;
  from->end = there;
  while (from->end < length)
    if (!receive(from)) return 0;
  return 1;
}

/* Whether the engine runs the command: then what follows the answer's head is frames. */
static int is_accepted(struct receiver *from) {
  while (from->end < answer_head_limit && receive(from))
    for (; from->at + 4 <= from->end; from->at++) {
      const char *mark = from->bytes + from->at;
      if (mark[0] != '\r' || mark[1] != '\n' || mark[2] != '\r' || mark[3] != '\n') continue;
      size head = from->at += 4;
      return head <= answer_head_limit && after("HTTP/1.1 101 ", from->bytes) && holds(from->bytes, head, "berth-command");
    }
  return 0;
}

static void write_all(int descriptor, const char *bytes, size length);

/* Ends as the client does when its connection breaks. */
static void end_lost(const char *reason) {
  static const char request[] = "error during connect: Post \"http://docker.example.com/berth/command\": ";
  write_all(2, request, sizeof request - 1);
  write_all(2, reason, length_of(reason));
  write_all(2, "\n", 1);
  end_process(1);
}

/* Ends as the client does when its output goes nowhere. */
static void end_unwritable(int descriptor, long error) {
  char bytes[64];
  struct text sentence;
  if (error == error_broken_pipe) end_process(broken_pipe_code);
  if (descriptor == 2) end_process(1);
  begin_text(&sentence, bytes, sizeof bytes);
  append(&sentence, "write /dev/stdout: ");
  if (error == error_no_space) append(&sentence, "no space left on device");
  else if (error == error_io) append(&sentence, "input/output error");
  else if (error == error_descriptor) append(&sentence, "bad file descriptor");
  else {
    append(&sentence, "errno ");
    append_number(&sentence, -error);
  }
  append(&sentence, "\n");
  write_all(2, bytes, sentence.length);
  end_process(1);
}

static void write_all(int descriptor, const char *bytes, size length) {
  while (length > 0) {
    long written = persistent_call(call_write, descriptor, (long)bytes, length);
    if (written == error_again) {
      struct poll_request request;
      request.descriptor = descriptor;
      request.events = poll_writable;
      persistent_call(call_poll, (long)&request, 1, -1);
    } else if (written < 0) {
      end_unwritable(descriptor, written);
    } else {
      bytes += written;
      length -= written;
    }
  }
}

/* Writes the data of a frame as it comes, whatever its length. */
static void copy_frame(struct receiver *from, int descriptor, size length) {
  while (length > 0) {
    if (from->at == from->end && !receive_at_least(from, 1)) end_lost("unexpected EOF");
    size part = from->end - from->at;
    if (part > length) part = length;
    write_all(descriptor, from->bytes + from->at, part);
    from->at += part;
    length -= part;
  }
}

/* Copies frames to the process's output and ends with the code they tell; returns if the engine declines after all. */
static void relay(struct receiver *from) {
  for (int has_written = 0;; has_written = 1) {
    if (!receive_at_least(from, frame_head)) end_lost("unexpected EOF");
    const unsigned char *head = (const unsigned char *)from->bytes;
    size length = (size)head[4] << 24 | head[5] << 16 | head[6] << 8 | head[7];
    int stream = head[1] | head[2] | head[3] ? 0 : head[0];
    from->at = frame_head;
    if (stream == stream_declined && length == 0 && !has_written) return;
    if (stream == stream_end && length == 1) {
      if (!receive_at_least(from, 1)) end_lost("unexpected EOF");
      end_process((unsigned char)from->bytes[0]);
    }
    if (stream != stream_output && stream != stream_error) end_lost("malformed frame");
    long signals = write_signals; /* the client ends by itself, and tells what was wrong */
    if (!has_written)
      system_call(call_rt_sigprocmask, block_signals, (long)&signals, 0, signal_set_bytes);
    copy_frame(from, stream, length);
  }
}
