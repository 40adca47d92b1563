/*
 * The launcher: what runs first when the program is started, before Bun. It hands a few commands to a running engine, whose
 * client code is warm, and returns to Bun's own start in every other case, as if it had never been there. README.md.
 */
static void launch(long *stack) __attribute__((used));

/*
 * The dynamic linker jumps to `entry`, its stack and registers being those of the System V ABI for x86-64 (3.4.1); Bun's
 * own entry point, which the build writes into the first eight bytes, finds them all as they were.
 */
__asm__(
    ".text\n"
    "launcher_start:\n"
    "  .quad 0\n"
    "launcher_entry:\n"
    "  pushq %rax\n"
    "  pushq %rbx\n"
    "  pushq %rcx\n"
    "  pushq %rdx\n"
    "  pushq %rsi\n"
    "  pushq %rdi\n"
    "  pushq %r8\n"
    "  pushq %r9\n"
    "  pushq %r10\n"
    "  pushq %r11\n"
    "  leaq 80(%rsp), %rdi\n"
    "  call launch\n"
    "  popq %r11\n"
    "  popq %r10\n"
    "  popq %r9\n"
    "  popq %r8\n"
    "  popq %rdi\n"
    "  popq %rsi\n"
    "  popq %rdx\n"
    "  popq %rcx\n"
    "  popq %rbx\n"
    "  popq %rax\n"
    "  jmp *launcher_start(%rip)\n");

#include "system.h"
#include "text.h"
#include "tables.h"
#include "json.h"
#include "situation.h"
#include "exchange.h"

/* Whether the command line begins with the words of a hosted command. */
static int is_hosted(long count, char **arguments) {
  for (const char *command = hosted_commands; *command; command = next_of(command)) {
    const char *rest = count > 1 ? after(arguments[1], command) : 0;
    if (!rest) continue;
    if (!*rest) return !holds(arguments[1], length_of(arguments[1]), " ");
    if (*rest == ' ' && count > 2 && equal(arguments[2], rest + 1)) return 1;
  }
  return 0;
}

static const char request_head[] =
    "POST /berth/command HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: berth-command\r\n"
    "Content-Type: application/octet-stream\r\nContent-Length: ";

enum { head_room = 256 };

/* Writes the request into the buffer and answers where it begins; 0 if it does not fit. */
static const char *compose(char *buffer, size *length, char **arguments, const struct variables *variables,
                           const char *terminals, const struct window_size *window) {
  struct text text;
  text.bytes = buffer + head_room;
  text.length = text.overflow = 0;
  text.limit = body_limit;
  append(&text, build_id);
  end_string(&text);
  /* getcwd(2): its length with the zero byte; no path where the folder is out of reach */
  long folder = system_call(call_getcwd, (long)(text.bytes + text.length), text.limit - text.length, 0, 0);
  if (folder < 0 || text.bytes[text.length] != '/') return 0;
  text.length += folder;
  append(&text, terminals);
  append(&text, " ");
  append_number(&text, window->rows);
  append(&text, " ");
  append_number(&text, window->columns);
  end_string(&text);
  size count = 0;
  for (int place = 0; place < hosted_variable_count; place++) count += variables->set[place] != 0;
  append_number(&text, count);
  end_string(&text);
  for (int place = 0; place < hosted_variable_count; place++)
    if (variables->set[place]) {
      append(&text, variables->set[place]);
      end_string(&text);
    }
  for (arguments++; *arguments; arguments++) {
    append(&text, *arguments);
    end_string(&text);
  }
  if (text.overflow) return 0;

  char bytes[head_room];
  struct text head;
  head.bytes = bytes;
  head.length = head.overflow = 0;
  head.limit = sizeof bytes;
  append(&head, request_head);
  append_number(&head, text.length);
  append(&head, "\r\n\r\n");
  char *start = text.bytes - head.length;
  for (size at = 0; at < head.length; at++) start[at] = bytes[at];
  *length = head.length + text.length;
  return start;
}

/* Runs the command in the engine and ends the process; returns if it did not, having changed nothing. */
static void attempt(char **arguments, char **environment) {
  char buffer[head_room + body_limit]; /* the configuration, then the request, then the answer */
  struct variables variables;
  struct window_size window;
  struct receiver from;
  char terminals[4];
  size length;
  if (!gather_variables(&variables, environment) || !look_at_terminals(terminals, &window)) return;
  const char *path = socket_path(&variables);
  if (!path || !has_harmless_configuration(&variables, buffer, sizeof buffer)) return;
  const char *request = compose(buffer, &length, arguments, &variables, terminals, &window);
  if (!request) return;
  from.socket = connect_to(path);
  if (from.socket < 0) return;
  from.bytes = buffer;
  from.at = from.end = 0;
  from.room = sizeof buffer;
  if (send_all(from.socket, request, length) && is_accepted(&from)) relay(&from);
  system_call(call_close, from.socket, 0, 0, 0);
}

/* The stack at the start: the number of arguments, the arguments, a zero, the environment, a zero. */
static void launch(long *stack) {
  char **arguments = (char **)(stack + 1);
  if (is_hosted(stack[0], arguments)) attempt(arguments, arguments + stack[0] + 1);
}

/* Where the code begins and ends, for the build, which takes it from memory. Nothing may follow. */
const void *launcher_begin(void) {
  const char *start;
  __asm__("leaq launcher_start(%%rip), %0" : "=r"(start));
  return start;
}

static const char last[] = "the launcher ends here";

const void *launcher_end(void) { return last + sizeof last; }
