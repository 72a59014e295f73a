//go:build !linux

package engine

// restrictThread tells what this system lacks.
func restrictThread(*workerConfig, string) (r report, thread int) {
	return report{Unconfined: []string{"nice", "sched_idle", "landlock", "seccomp"}}, 0
}

func threadGone(int) bool { return false }

// restrictProcess tells what this system lacks.
func restrictProcess(*workerConfig) report {
	return report{Unconfined: []string{"rlimit_as", "parent_death"}}
}

func restrictDuck(*workerConfig) report { return report{} }
