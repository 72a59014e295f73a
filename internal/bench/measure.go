package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what one finished process cost.
type usage struct {
	wall, cpu time.Duration
	// rssBytes is the peak memory of the largest single process.
	rssBytes int64
	stdout   string
}

// process runs a command to its end and gives its cost. Its stdout is kept when
// keep is set; otherwise it is the null device, because a pipe would add its own
// cost to each side. On Linux the peak memory counts that of the starting process
// too, so it is never below the bench's own.
func process(ctx context.Context, keep bool, env []string, name string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, errs strings.Builder
	cmd.Stderr = &errs
	if keep {
		cmd.Stdout = &out
	}
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return usage{}, fmt.Errorf("cannot run %s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	u := usage{
		wall:   time.Since(start),
		cpu:    cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		stdout: out.String(),
	}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.rssBytes = r.Maxrss * maxrssUnit
	}
	return u, nil
}

// maxrssUnit is the unit of ru_maxrss on Linux: KiB (getrusage(2)).
const maxrssUnit = 1024

// children gives what the living child processes of this one have cost so far:
// the query worker.
func children() (usage, error) {
	var u usage
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return u, err
	}
	for _, path := range tasks {
		list, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		for pid := range strings.FieldsSeq(string(list)) {
			one, err := living(pid)
			if err != nil {
				return u, err
			}
			u.cpu += one.cpu
			u.rssBytes = max(u.rssBytes, one.rssBytes)
		}
	}
	return u, nil
}

// living reads the cost of a process: its CPU clock, which counts nanoseconds and
// ended threads (clock_getcpuclockid(3)), and its peak memory from proc(5).
func living(pid string) (usage, error) {
	var u usage
	n, err := strconv.Atoi(pid)
	if err != nil {
		return u, err
	}
	const schedulerClock = 2 // CPUCLOCK_SCHED of the kernel's posix-timers
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^n<<3|schedulerClock), &t); err != nil {
		return u, fmt.Errorf("cannot read the CPU time of process %s: %w", pid, err)
	}
	u.cpu = time.Duration(t.Nano())
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if _, err := fmt.Sscan(text, &u.rssBytes); err != nil {
				return u, fmt.Errorf("cannot read the memory of process %s: %w", pid, err)
			}
			u.rssBytes *= maxrssUnit
		}
	}
	return u, nil
}

// median gives the middle value; the lower one of an even number.
func median[T int64 | float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// costs collects the runs of one command.
type costs struct {
	wall, cpu []time.Duration
	rss       []int64
	last      usage
}

func (c *costs) add(u usage) {
	c.wall = append(c.wall, u.wall)
	c.cpu = append(c.cpu, u.cpu)
	c.rss = append(c.rss, u.rssBytes)
	c.last = u
}

// String prints the medians.
func (c *costs) String() string {
	return fmt.Sprintf("%.2f s wall, %.2f s CPU, %d MB", median(c.wall).Seconds(), median(c.cpu).Seconds(), median(c.rss)/1e6)
}

// ratio is the median of a/b, pair by pair, of the CPU times.
func ratio(a, b *costs) float64 {
	var all []float64
	for i := range a.cpu {
		all = append(all, a.cpu[i].Seconds()/b.cpu[i].Seconds())
	}
	return median(all)
}

// folderBytes adds up the sizes of all files below dir.
func folderBytes(dir string) (total, files int64, err error) {
	var walk func(string) error
	walk = func(path string) error {
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.IsDir() {
				if err := walk(path + "/" + e.Name()); err != nil {
					return err
				}
				continue
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			total += info.Size()
			files++
		}
		return nil
	}
	return total, files, walk(dir)
}
