package engine

import (
	"errors"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refusedCalls are the system calls a worker has no use for and a hijacked one
// would: sockets of every kind (Landlock knows TCP only), other processes'
// memory, a better priority, and the ring that does such things without calling.
var refusedCalls = []uint32{
	unix.SYS_SOCKET, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_SENDTO, unix.SYS_SENDMSG,
	unix.SYS_SETPRIORITY, unix.SYS_SCHED_SETSCHEDULER, unix.SYS_SCHED_SETATTR, unix.SYS_SCHED_SETPARAM,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_IO_URING_SETUP,
}

// Offsets in struct seccomp_data and the bit of the x32 system calls of amd64,
// which would go round a filter by number. Source: seccomp(2).
const (
	seccompNumber = 0
	seccompArch   = 4
	x32Bit        = 0x40000000
)

// seccomp makes refusedCalls fail with EPERM for the calling thread and what it
// executes.
func seccomp() error {
	arch, ok := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if !ok {
		return errors.New("no filter for " + runtime.GOARCH)
	}
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	jump := func(test uint16, k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	give := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	n := uint8(len(refusedCalls))
	// The end is: allow, refuse.
	program := []unix.SockFilter{
		load(seccompArch),
		jump(unix.BPF_JEQ, arch, 0, n+3),
		load(seccompNumber),
		jump(unix.BPF_JGE, x32Bit, n+1, 0),
	}
	for i, call := range refusedCalls {
		program = append(program, jump(unix.BPF_JEQ, call, n-uint8(i), 0))
	}
	program = append(program, give(unix.SECCOMP_RET_ALLOW), give(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)))
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return errno
	}
	return nil
}
