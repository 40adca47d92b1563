import { type Pointer, ptr } from "bun:ffi";
import { closeSync, constants, openSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import type { Seccomp, SeccompSyscall } from "../../types/runtime-spec.ts";
import { bindLibrary, check, cString } from "../libc.ts";

/**
 * Compiling a seccomp profile to the kernel's filter program with libseccomp (which crun depends on, so it is there):
 * seccomp_init(3), seccomp_arch_add(3), seccomp_rule_add_array(3), seccomp_export_bpf(3). Takes 10 to 20 ms.
 */
const symbols = {
  seccomp_init: { args: ["u32"], returns: "ptr" },
  seccomp_release: { args: ["ptr"], returns: "void" },
  seccomp_attr_set: { args: ["ptr", "u32", "u32"], returns: "i32" },
  seccomp_arch_add: { args: ["ptr", "u32"], returns: "i32" },
  seccomp_arch_resolve_name: { args: ["ptr"], returns: "u32" },
  seccomp_syscall_resolve_name: { args: ["ptr"], returns: "i32" },
  seccomp_rule_add_array: { args: ["ptr", "u32", "i32", "u32", "ptr"], returns: "i32" },
  seccomp_export_bpf: { args: ["ptr", "i32"], returns: "i32" },
} as const;

const open = () => bindLibrary("libseccomp.so.2", symbols);
type Library = ReturnType<typeof open>;
let library: Library | undefined;

const actions: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

const operators: Readonly<Record<string, number>> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

const attributeNoNewPrivileges = 3;
const attributeOptimize = 8;
const asBinaryTree = 2;
const EEXIST = 17;
const EPERM = 1;
const noSuchCall = -1;
const argumentSize = 24;

function actionNumber(name: string, errno = EPERM): number {
  const action = actions[name];
  if (action === undefined) throw new EngineError("invalid", `unknown seccomp action ${name}`);
  return name === "SCMP_ACT_ERRNO" || name === "SCMP_ACT_TRACE" ? action + errno : action;
}

/** struct scmp_arg_cmp, 24 bytes each: argument u32, operator u32, two u64. */
function argumentsOf(rules: NonNullable<SeccompSyscall["args"]>): Buffer {
  const buffer = Buffer.alloc(Math.max(1, rules.length) * argumentSize);
  for (const [index, { index: argument, op, value, valueTwo = 0 }] of rules.entries()) {
    const operator = operators[op];
    if (operator === undefined) throw new EngineError("invalid", `unknown seccomp operator ${op}`);
    const at = index * argumentSize;
    buffer.writeUInt32LE(argument, at);
    buffer.writeUInt32LE(operator, at + 4);
    buffer.writeBigUInt64LE(BigInt(value), at + 8);
    buffer.writeBigUInt64LE(BigInt(valueTwo), at + 16);
  }
  return buffer;
}

function addArchitectures(lib: Library, filter: Pointer, names: readonly string[]): void {
  for (const name of names) {
    const token = lib.seccomp_arch_resolve_name(ptr(cString(name.replace("SCMP_ARCH_", "").toLowerCase())));
    const result = token === 0 ? 0 : lib.seccomp_arch_add(filter, token);
    if (result < 0 && result !== -EEXIST)
      throw new EngineError("invalid", `seccomp architecture ${name}: ${result}`);
  }
}

function addRules(lib: Library, filter: Pointer, profile: Seccomp, fallback: number): void {
  for (const { names, action, errnoRet, args = [] } of profile.syscalls) {
    const number = actionNumber(action, errnoRet);
    if (number === fallback) continue; // libseccomp refuses what the default does anyway
    const comparisons = argumentsOf(args);
    for (const name of names) {
      const call = lib.seccomp_syscall_resolve_name(ptr(cString(name)));
      if (call === noSuchCall) continue; // newer than this libseccomp: the default applies
      const result = lib.seccomp_rule_add_array(filter, number, call, args.length, ptr(comparisons));
      if (result < 0) throw new EngineError("invalid", `seccomp rule for ${name}: error ${-result}`);
    }
  }
}

/** Writes the filter program of a profile to `file`. Throws when libseccomp is not there or refuses the profile. */
export function compileSeccomp(profile: Seccomp, file: string): void {
  library ??= open();
  const fallback = actionNumber(profile.defaultAction, profile.defaultErrnoRet);
  const filter = library.seccomp_init(fallback) as Pointer | null;
  if (filter === null) throw new EngineError("internal", "seccomp_init failed");
  try {
    addArchitectures(library, filter, profile.architectures ?? []);
    // the runtime decides on no-new-privileges; a tree makes each system call cheaper
    library.seccomp_attr_set(filter, attributeNoNewPrivileges, 0);
    library.seccomp_attr_set(filter, attributeOptimize, asBinaryTree);
    addRules(library, filter, profile, fallback);
    const fd = openSync(file, constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY, 0o600);
    try {
      check(library.seccomp_export_bpf(filter, fd), "seccomp_export_bpf");
    } finally {
      closeSync(fd);
    }
  } finally {
    library.seccomp_release(filter);
  }
}
