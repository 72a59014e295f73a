//go:build !linux

package engine

// confine reports what this system lacks.
func confine(*workerConfig) string {
	return "!rlimit_as,!nice,!sched_idle,!parent_death,!landlock"
}
