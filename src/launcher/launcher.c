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
#include "request.h"
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

/* Runs the command in the engine and ends the process; returns if it did not, having changed nothing. */
static void attempt(char **arguments, char **environment) {
  char buffer[request_room]; /* the configuration, then the request, then the answer */
  struct situation situation;
  size length;
  if (!look_around(&situation, environment)) return;
  const char *path = socket_path(&situation);
  if (!path || !has_harmless_configuration(&situation, buffer, sizeof buffer)) return;
  const char *request = compose_request(buffer, &length, arguments, &situation);
  if (!request) return;
  long socket = connect_to(path);
  if (socket < 0) return;
  if (send_all(socket, request, length)) {
    struct receiver from;
    from.socket = socket;
    from.bytes = buffer;
    from.at = from.end = 0;
    from.room = sizeof buffer;
    if (is_accepted(&from)) relay(&from);
  }
  system_call(call_close, socket, 0, 0, 0);
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
