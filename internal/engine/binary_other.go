//go:build !linux

package engine

import "os"

func ownBinary() (string, error) { return os.Executable() }
