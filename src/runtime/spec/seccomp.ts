import type { Seccomp, SeccompSyscall } from "../../types/runtime-spec.ts";
import { commonCalls } from "./seccomp-calls.ts";

/** Node's names of the processors the profile knows. */
type Architecture = "x64" | "arm64" | "riscv64" | "s390x" | "ppc64";

const allow = "SCMP_ACT_ALLOW";
const EPERM = 1;
const ENOSYS = 38;

/** seccomp's names: the native architecture, then those it can also run. */
const architectures: Record<Architecture, readonly string[]> = {
  x64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
  riscv64: ["SCMP_ARCH_RISCV64"],
  s390x: ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"],
  ppc64: ["SCMP_ARCH_PPC64LE"],
};

const callsOfArchitecture: Record<Architecture, readonly string[]> = {
  x64: ["arch_prctl", "modify_ldt"],
  arm64: [
    "arm_fadvise64_64",
    "arm_sync_file_range",
    "sync_file_range2",
    "breakpoint",
    "cacheflush",
    "set_tls",
  ],
  riscv64: ["riscv_flush_icache"],
  s390x: ["s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr"],
  ppc64: ["sync_file_range2", "swapcontext"],
};

/** What a capability would be useless without. */
const callsOfCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_DAC_READ_SEARCH: ["open_by_handle_at"],
  CAP_SYS_ADMIN: (
    "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr " +
    "lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl " +
    "quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare"
  ).split(" "),
  CAP_SYS_BOOT: ["reboot"],
  CAP_SYS_CHROOT: ["chroot"],
  CAP_SYS_MODULE: ["delete_module", "init_module", "finit_module"],
  CAP_SYS_PACCT: ["acct"],
  CAP_SYS_PTRACE: [
    "kcmp",
    "pidfd_getfd",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
  ],
  CAP_SYS_RAWIO: ["iopl", "ioperm"],
  CAP_SYS_TIME: ["settimeofday", "stime", "clock_settime", "clock_settime64"],
  CAP_SYS_TTY_CONFIG: ["vhangup"],
  CAP_SYS_NICE: ["get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"],
  CAP_SYSLOG: ["syslog"],
  CAP_BPF: ["bpf"],
  CAP_PERFMON: ["perf_event_open"],
};

/** Tracing others within the container is safe since Linux 4.8, which the engine requires anyway. */
const tracingCalls = ["process_vm_readv", "process_vm_writev", "ptrace"];

/** personality(2) values that change nothing dangerous: Linux, 32-bit Linux, UNAME26, both, and the question. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];
/** address families: all but AF_ALG (38) and AF_VSOCK (40), which reach the kernel's crypto and the hypervisor */
const socketFamilies = [
  { op: "SCMP_CMP_LT", value: 38 },
  { op: "SCMP_CMP_EQ", value: 39 },
  { op: "SCMP_CMP_GT", value: 40 },
];
/** every CLONE_NEW… flag: none may be set */
const namespaceFlags = 0x7e020000;

const when = (name: string, index: number, value: number, op: string, valueTwo?: number): SeccompSyscall => ({
  names: [name],
  action: allow,
  args: [{ index, value, op, ...(valueTwo === undefined ? {} : { valueTwo }) }],
});

/** Making namespaces takes CAP_SYS_ADMIN; without it clone is allowed for threads and processes only. */
function cloneRules(architecture: Architecture): SeccompSyscall[] {
  const flagsIndex = architecture === "s390x" ? 1 : 0;
  return [
    when("clone", flagsIndex, namespaceFlags, "SCMP_CMP_MASKED_EQ", 0),
    // its flags are behind a pointer: told as missing, so that libraries fall back to clone
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
  ];
}

/** The default profile for a process that may have these capabilities (CAP_… names). */
export function defaultSeccomp(
  capabilities: Iterable<string>,
  architecture: Architecture = process.arch as Architecture,
): Seccomp {
  const held = new Set(capabilities);
  const names = [
    ...commonCalls,
    ...tracingCalls,
    ...(callsOfArchitecture[architecture] ?? []),
    ...[...held].flatMap((capability) => callsOfCapability[capability] ?? []),
  ];
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: EPERM,
    architectures: [...(architectures[architecture] ?? [])],
    syscalls: [
      { names: [...new Set(names)], action: allow },
      ...socketFamilies.map(({ op, value }) => when("socket", 0, value, op)),
      ...personalities.map((value) => when("personality", 0, value, "SCMP_CMP_EQ")),
      ...(held.has("CAP_SYS_ADMIN") ? [] : cloneRules(architecture)),
    ],
  };
}
