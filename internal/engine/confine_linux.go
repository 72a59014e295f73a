package engine

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	idleNice  = 19
	schedIdle = 5 // SCHED_IDLE, sched(7)
)

// confine restricts the calling thread and executes the binary again on it, so
// that every thread of the new process (Go's and DuckDB's) inherits the limits;
// nice, SCHED_IDLE and Landlock are a thread's own. It returns only when the
// second execution fails; the report then says what holds.
func confine(config *workerConfig) string {
	runtime.LockOSThread()
	var report []string
	note := func(name string, err error) {
		if err != nil {
			report = append(report, "!"+name+" ("+strings.ReplaceAll(err.Error(), ",", ";")+")")
			return
		}
		report = append(report, name)
	}
	limit := uint64(config.MemoryBytes)
	note("rlimit_as", unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}))
	note("no_core", unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
	note("nice", unix.Setpriority(unix.PRIO_PROCESS, 0, idleNice))
	note("sched_idle", setIdle())
	note("parent_death", unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0))
	note("no_new_privs", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	exe, err := ownBinary()
	if err != nil {
		return strings.Join(append(report, "!exec"), ",")
	}
	note("landlock", landlock(config, exe))
	note("seccomp", seccomp())
	state := strings.Join(report, ",")
	env := append(os.Environ(), stage2+"="+state)
	err = syscall.Exec(exe, os.Args, env)
	return state + ",!exec (" + strings.ReplaceAll(err.Error(), ",", ";") + ")"
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
// read besides. Of /proc only the process itself, so that no other process's
// environment is seen.
var (
	libraryPaths = []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64"}
	systemPaths  = []string{
		"/etc/ld.so.cache", "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/sys/fs/cgroup", "/sys/devices/system", "/sys/kernel/mm",
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
func landlock(config *workerConfig, exe string) error {
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
		allow(landRead|landRun, exe), allow(landRead|landRun, libraryPaths...), allow(landRead, systemPaths...),
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
