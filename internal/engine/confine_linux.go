package engine

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	idleNice  = 19
	schedIdle = 5 // SCHED_IDLE, sched(7)
	// threadPatience is how long a thread gets to end, in milliseconds.
	threadPatience = 200
)

// restrictThread restricts the calling thread for ever, with all it starts: nice,
// SCHED_IDLE, Landlock and seccomp are a thread's own in Linux, and a process
// inherits them from the thread that forks it. So a worker is confined from its
// first instruction, without having to execute itself again. The caller must have
// locked its goroutine to the thread and never unlock it; Go then ends the thread
// with the goroutine, and never starts another from it.
func restrictThread(config *workerConfig, exe string) (r report, thread int) {
	r.note("nice", unix.Setpriority(unix.PRIO_PROCESS, 0, idleNice))
	r.note("sched_idle", setIdle())
	r.note("no_new_privs", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	// Of /proc the worker's own part is wanted, which isn't there yet.
	r.note("landlock", landlock(config, exe, "/proc"))
	r.note("seccomp", seccomp())
	return r, unix.Gettid()
}

// threadGone waits for the end of a thread; false when it takes too long.
func threadGone(thread int) bool {
	for range threadPatience {
		if err := unix.Tgkill(unix.Getpid(), thread, 0); errors.Is(err, unix.ESRCH) {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// restrictProcess sets what belongs to a process, in the worker itself.
func restrictProcess(config *workerConfig) report {
	var r report
	limit := uint64(config.MemoryBytes)
	r.note("rlimit_as", unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}))
	r.note("no_core", unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
	// The signal comes when the thread that is the parent ends. That was the one
	// that started the worker; once it is gone, one that lives as long as the
	// process. Without the signal the end of stdin tells the worker.
	if config.WatchParent {
		r.note("parent_death", unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0))
	}
	return r
}

// restrictDuck restricts the calling thread of the worker, from which DuckDB's
// threads descend, further: of /proc it sees the worker only. The kernel should
// keep other processes' memory and environment from it anyway (landlock(7),
// "Ptrace restrictions"), but one was seen that does not.
func restrictDuck(config *workerConfig) report {
	var r report
	r.note("landlock_proc", landlock(config, "/proc/self/exe", "/proc/self"))
	return r
}

func setIdle() error {
	priority := int32(0)
	_, _, errno := unix.RawSyscall(unix.SYS_SCHED_SETSCHEDULER, 0, schedIdle, uintptr(unsafe.Pointer(&priority)))
	if errno != 0 {
		return errno
	}
	return nil
}

// The rights that are taken away everywhere and given back below some folders.
const (
	landRun   = unix.LANDLOCK_ACCESS_FS_EXECUTE
	landRead  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	landWrite = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM
)

// libraryPaths hold the loader and glibc, systemPaths is what they, Go and DuckDB
// read besides, but for /proc.
var (
	libraryPaths = []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64"}
	systemPaths  = []string{
		"/etc/ld.so.cache", "/sys/fs/cgroup", "/sys/devices/system", "/sys/kernel/mm",
		"/dev/null", "/dev/zero", "/dev/urandom", "/dev/random",
	}
)

// The versions of Landlock that brought what is used here.
const (
	landlockRefer    = 2
	landlockTruncate = 3
	landlockTCP      = 4
	landlockScope    = 6
)

// landlock takes the file system (but reading the lake and the system's
// libraries, and the own temporary folder), TCP, abstract sockets and signals to
// other processes away, as far as the kernel's version of Landlock goes. Source:
// landlock(7).
func landlock(config *workerConfig, exe, proc string) error {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return errno
	}
	write := uint64(landWrite)
	if version >= landlockRefer {
		write |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= landlockTruncate {
		write |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: landRun | landRead | write}
	size := unsafe.Offsetof(attr.Handled_access_net)
	if version >= landlockTCP {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size = unsafe.Offsetof(attr.Scoped)
	}
	if version >= landlockScope {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
		size = unsafe.Offsetof(attr.Quiet_access_fs)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return errno
	}
	defer func() { _ = unix.Close(int(fd)) }()
	allow := func(rights uint64, paths ...string) (err error) {
		for _, path := range paths {
			if failed := allowBeneath(int(fd), path, rights); failed != nil && !os.IsNotExist(failed) {
				err = errors.Join(err, fmt.Errorf("cannot allow %s: %w", path, failed))
			}
		}
		return err
	}
	err := errors.Join(
		allow(landRead|landRun, exe), allow(landRead|landRun, libraryPaths...), allow(landRead, systemPaths...), allow(landRead, proc, "/proc/meminfo", "/proc/cpuinfo"),
		allow(landRead, config.ReadDirs...), allow(landRead|write, config.TempDir))
	if err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func allowBeneath(ruleset int, path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= landRun | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	}
	attr := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
