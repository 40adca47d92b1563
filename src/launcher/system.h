/*
 * Linux on x86-64 without a C library: its system calls (syscall(2), numbers of asm/unistd_64.h), and of their arguments
 * what the launcher uses. A failure is the negative errno.
 */

typedef unsigned long size;

enum {
  call_read = 0,
  call_write = 1,
  call_open = 2,
  call_close = 3,
  call_fstat = 5,
  call_poll = 7,
  call_rt_sigprocmask = 14,
  call_ioctl = 16,
  call_socket = 41,
  call_connect = 42,
  call_sendmsg = 46,
  call_getcwd = 79,
  call_exit_group = 231,
};

enum {
  error_no_entry = -2,     /* ENOENT */
  error_interrupted = -4,  /* EINTR */
  error_io = -5,           /* EIO */
  error_descriptor = -9,   /* EBADF */
  error_again = -11,       /* EAGAIN */
  error_no_space = -28,    /* ENOSPC */
  error_broken_pipe = -32, /* EPIPE */
};

static long system_call(long number, long a, long b, long c, long d) {
  long result;
  __asm__ volatile("movq %5, %%r10\n\tsyscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "m"(d)
                   : "rcx", "r10", "r11", "memory");
  return result;
}

/* Calls that a signal, or a stop and its continuation, may interrupt are made again. */
static long persistent_call(long number, long a, long b, long c) {
  for (;;) {
    long result = system_call(number, a, b, c, 0);
    if (result != error_interrupted) return result;
  }
}

static void end_process(int code) {
  for (;;) system_call(call_exit_group, code, 0, 0, 0);
}

/* open(2): read only, close on exec, not waiting for a pipe's other end. */
enum { open_flags = 02004000 };

/* struct stat, as far as it is looked at: stat(2). */
struct file_facts {
  unsigned long device, inode, links;
  unsigned int mode, owner, group, padding;
  unsigned long device_number;
  long length;
  char rest[88];
};

enum { mode_type = 0170000, mode_regular = 0100000 };

/* ioctl_tty(2) */
enum { get_window_size = 0x5413 };

struct window_size {
  unsigned short rows, columns, width, height;
};

/* unix(7); SOCK_STREAM | SOCK_CLOEXEC */
enum { unix_family = 1, stream_socket = 02000001, socket_path_limit = 107 };

struct unix_address {
  unsigned short family;
  char path[socket_path_limit + 1];
};

/* sendmsg(2): of the ways to send, the one without SIGPIPE that takes three arguments. */
enum { no_signal = 0x4000 };

struct piece {
  const char *bytes;
  size length;
};

struct message {
  void *name;
  unsigned int name_length;
  struct piece *pieces;
  size piece_count;
  void *control;
  size control_length;
  int flags;
};

/* poll(2) */
enum { poll_writable = 4 };

struct poll_request {
  int descriptor;
  short events, returned;
};

/* sigprocmask(2): SIG_BLOCK, and the signals that a write may end a process by: SIGPIPE and SIGXFSZ. */
enum { block_signals = 0, write_signals = 1 << (13 - 1) | 1 << (25 - 1), signal_set_bytes = 8 };
