//go:build !linux

package server

func cpuSeconds() (float64, bool) { return 0, false }

func residentBytes() (int64, bool) { return 0, false }
