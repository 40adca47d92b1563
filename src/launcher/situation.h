/*
 * What the launcher may not leave out of sight before it hands a command line to the engine: the variables and the
 * configuration that the client would read, its terminals. Whatever is unusual is the client's own business.
 */

struct situation {
  /* by their place in `hosted_variables`: `NAME=value`, or 0 where one is not set */
  const char *variables[hosted_variable_count];
  /* which of the first three descriptors are terminals, as "010" */
  char terminals[4];
  /* of the output, zero where that is no terminal */
  struct window_size window;
};

/* The place of a variable in a list of names, -1 if it is not there. `value` is what follows the equals sign. */
static int place_in(const char *names, const char *variable, const char **value) {
  for (int place = 0; *names; place++, names = next_of(names)) {
    const char *rest = after(names, variable);
    if (rest && *rest == '=') {
      *value = rest + 1;
      return place;
    }
  }
  return -1;
}

/* False where a variable has something to say that the engine must not be asked to obey, or is there twice. */
static int gather_variables(const char **variables, char **environment) {
  const char *value;
  for (int place = 0; place < hosted_variable_count; place++) variables[place] = 0;
  for (; *environment; environment++) {
    if (place_in(barring_variables, *environment, &value) >= 0 && *value) return 0;
    int place = place_in(hosted_variables, *environment, &value);
    if (place < 0) continue;
    if (variables[place]) return 0;
    variables[place] = *environment;
  }
  return 1;
}

/* The value of one of `hosted_variables`, empty where it is not set. */
static const char *value_of(const struct situation *situation, const char *name) {
  for (int place = 0; place < hosted_variable_count; place++)
    if (situation->variables[place]) {
      const char *rest = after(name, situation->variables[place]);
      if (rest && *rest == '=') return rest + 1;
    }
  return "";
}

/* The engine's socket, as the client chooses it; 0 where that is none, or a name that the client would read otherwise. */
static const char *socket_path(const struct situation *situation) {
  const char *host = value_of(situation, "BERTH_HOST");
  if (!*host) host = value_of(situation, "DOCKER_HOST");
  if (!*host) return default_socket;
  const char *path = after("unix://", host);
  if (!path || *path != '/' || length_of(path) > socket_path_limit) return 0;
  for (const char *at = path; *at; at++)
    if (*at <= ' ' || *at > '~') return 0;
  return path;
}

/* `config.json` is absent, or is plain and has none of the settings that matter. Nothing of it is sent. */
static int is_harmless(const char *path, char *buffer, size room) {
  struct file_facts facts;
  long file = persistent_call(call_open, (long)path, open_flags, 0);
  if (file == error_no_entry) return 1;
  if (file < 0) return 0;
  long length = -1;
  if (persistent_call(call_fstat, file, (long)&facts, 0) == 0 && (facts.mode & mode_type) == mode_regular)
    for (length = 0; length < (long)room;) {
      long more = persistent_call(call_read, file, (long)(buffer + length), room - length);
      if (more == 0) break;
      if (more < 0) length = room;
      else length += more;
    }
  system_call(call_close, file, 0, 0, 0);
  return length >= 0 && length < (long)room && is_plain_object(buffer, length, barring_settings);
}

static int has_harmless_configuration(const struct situation *situation, char *buffer, size room) {
  char name[4096];
  struct text path;
  begin_text(&path, name, sizeof name);
  const char *folder = value_of(situation, "DOCKER_CONFIG");
  const char *home = value_of(situation, "HOME");
  if (!*folder && !*home) return 0; /* the client asks the passwd file for the folder */
  append(&path, *folder ? folder : home);
  if (!*folder) append(&path, "/.docker");
  append(&path, "/config.json");
  end_string(&path);
  return !path.overflow && is_harmless(name, buffer, room);
}

/* False if one of the first three descriptors is closed. */
static int look_at_terminals(struct situation *situation) {
  struct window_size window;
  situation->window.rows = situation->window.columns = 0;
  for (int descriptor = 0; descriptor < 3; descriptor++) {
    long result = system_call(call_ioctl, descriptor, get_window_size, (long)&window, 0);
    if (result == error_descriptor) return 0;
    situation->terminals[descriptor] = result == 0 ? '1' : '0';
    if (result == 0 && descriptor == 1) {
      situation->window.rows = window.rows;
      situation->window.columns = window.columns;
    }
  }
  situation->terminals[3] = 0;
  return 1;
}

/* False where there is something that makes the command line the client's business. */
static int look_around(struct situation *situation, char **environment) {
  return gather_variables(situation->variables, environment) && look_at_terminals(situation);
}
