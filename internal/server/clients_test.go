package server

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// clientRows make several requests each: the clients cut them at 1 MB.
const clientRows = 5000

// TestAzureClients sends with Azure Monitor's own clients, unchanged, over TLS.
func TestAzureClients(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("runs foreign programs: set WADI_SLOW=1 (make test does)")
	}
	for _, c := range []struct {
		name, variable string
		command        func(in *instance, at, token, cert string) *exec.Cmd
	}{
		{"npm @azure/monitor-ingestion 1.2.0", "WADI_AZURE_NPM", func(in *instance, modules, token, cert string) *exec.Cmd {
			cmd := exec.CommandContext(t.Context(), "node", "testdata/clients/send.cjs", in.url, token, "dcr-npm", "Custom-Probe_CL", strconv.Itoa(clientRows))
			cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "NODE_EXTRA_CA_CERTS="+cert)
			return cmd
		}},
		{"PyPI azure-monitor-ingestion 1.1.0", "WADI_PYTHON", func(in *instance, python, token, cert string) *exec.Cmd {
			return exec.CommandContext(t.Context(), python, "testdata/clients/send.py", in.url, token, "dcr-pypi", "Custom-Probe_CL", strconv.Itoa(clientRows), cert)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := os.Getenv(c.variable)
			if at == "" {
				t.Skipf("%s is not set: the client is not there (make test sets it, after scripts/test-needs.sh)", c.variable)
			}
			if c.variable == "WADI_PYTHON" && exec.CommandContext(t.Context(), at, "-c", "import azure.monitor.ingestion").Run() != nil {
				t.Skip("the Python of WADI_PYTHON has no azure-monitor-ingestion (scripts/test-needs.sh installs it)")
			}
			in := start(t, t.TempDir(), nil, nil)
			in.table()
			cmd := c.command(in, at, in.token("azure", nil, "ingest"), filepath.Join(in.dir, "tls", "cert.pem"))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if !strings.Contains(string(out), "400") || !strings.Contains(string(out), "colour") {
				t.Errorf("a row with an unknown column: %s", out)
			}
			if n := in.count("Probe_CL"); n != strconv.Itoa(clientRows) {
				t.Errorf("%s rows", n)
			}
			if n := in.count("Probe_CL | where note != 'x' | distinct n"); n != strconv.Itoa(clientRows) {
				t.Errorf("%s distinct rows", n)
			}
			if n := in.count("sources | where Kind == 'logs-ingestion'"); n != "1" {
				t.Errorf("%s sources", n)
			}
			a := in.send("GET", "/metrics", "", nil)
			if !strings.Contains(a.body, `wadi_ingest_rows_total{route="logsIngestion"} `+strconv.Itoa(clientRows)+"\n") {
				t.Error(a.body)
			}
		})
	}
}

// TestManyIdleConnections opens 10,000 idle connections at the default limit.
func TestManyIdleConnections(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("opens 10,000 connections: set WADI_SLOW=1 (make test does)")
	}
	idleConnections(t, 10_000, nil)
}
