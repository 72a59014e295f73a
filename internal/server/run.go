package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/wadi-project/wadi/internal/collect/stream"
	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/wal"
)

// Config is one call of `wadi serve`.
type Config struct {
	// Sources are where the settings come from; DataDir in it is the lake's folder.
	Sources Sources
	// Version is shown at the start and in metrics.
	Version string
	// Stdout gets the lines of the start, Stderr the log.
	Stdout, Stderr io.Writer
	// Reload gets a value for each SIGHUP; nil for none.
	Reload <-chan os.Signal
	// Local, if any, opens what the command line on this machine goes through; its path
	// is for the lines of the start. stop ends it.
	Local func(context.Context, Local) (path string, stop func() error, err error)
	// Salvage lets the log open although frames in it are damaged: they are skipped,
	// and named in the log.
	Salvage bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// grace is how long a body may take to begin; 0 is bodyGrace.
	grace time.Duration
	// opened gets the server before it listens, and more routes are its own: for
	// tests.
	opened func(*Server)
	more   []Route
	// Ready, if any, is called with the address when the server takes requests.
	Ready func(address string)
}

// Local is what the command line works with in the server.
type Local struct {
	Writer *lake.Writer
	Engine *engine.Engine
	// Flush brings everything that was acknowledged into the lake.
	Flush func(context.Context) error
	Log   *slog.Logger
}

// running is a server with what has to be closed.
type running struct {
	*Server
	config Config
	level  *slog.LevelVar
	certs  *certificates
	socket string
	// commits are the door's when the lake was looked after last.
	commits int64
	close   []func() error // in the order of opening
}

// Run serves until ctx ends, then drains and closes everything. What can't start is
// an error that knows its exit code.
func Run(ctx context.Context, config Config) (err error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.grace == 0 {
		config.grace = bodyGrace
	}
	settings, err := ReadSettings(config.Sources)
	if err != nil {
		return err
	}
	r := &running{config: config, level: new(slog.LevelVar)}
	r.level.Set(settings.LogLevel)
	options := &slog.HandlerOptions{Level: r.level}
	log := slog.New(slog.NewTextHandler(config.Stderr, options))
	if settings.LogFormat == "json" {
		log = slog.New(slog.NewJSONHandler(config.Stderr, options))
	}
	r.Server = newServer(settings, config, log)
	defer func() { err = errors.Join(err, r.closeAll()) }()
	listener, err := r.open(ctx, settings)
	if err != nil {
		return err
	}
	return r.serve(ctx, settings, listener)
}

func newServer(settings *Settings, config Config, log *slog.Logger) *Server {
	s := &Server{
		Log: log, Now: config.Now, version: config.Version, grace: config.grace, metrics: newMetrics(), failures: newFailures(),
		bodies: newBodies(settings.BodyMemory), conns: newConns(settings.Connections), decoders: newDecoders(config.Now), routes: append(Routes(), config.more...), openAPI: OpenAPI(),
	}
	s.settings.Store(settings)
	return s
}

// closeAll closes in reverse order.
func (r *running) closeAll() error {
	var errs []error
	for i := len(r.close) - 1; i >= 0; i-- {
		errs = append(errs, r.close[i]())
	}
	r.close = nil
	return errors.Join(errs...)
}

// open takes the lake, the port, the certificate, the door, the engine and the
// socket: what others may hold first, what takes long last.
func (r *running) open(ctx context.Context, settings *Settings) (net.Listener, error) {
	writer, err := lake.OpenWriter(ctx, r.config.Sources.DataDir, lake.Options{Log: r.Log, Now: r.config.Now})
	if err != nil {
		return nil, err
	}
	r.Writer, r.tokens = writer, &tokens{writer: writer}
	r.close = append(r.close, writer.Close)
	if notice := writer.Notice(); notice != "" {
		r.Log.Warn(notice)
	}
	listener, err := listen(settings.Listen)
	if err != nil {
		return nil, err
	}
	r.close = append(r.close, func() error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	r.certs = &certificates{now: r.config.Now, dataDir: writer.Dir()}
	if _, err := r.certs.load(settings); err != nil {
		return nil, err
	}
	r.Engine, err = engine.Start(ctx, engine.Config{ReadDirs: readDirs(writer.Dir()), Log: r.Log})
	if err != nil {
		if errors.Is(err, engine.ErrUnavailable) {
			return nil, &ListenError{reason: "cannot serve: this build has no DuckDB (it was made without cgo)", advice: "use a build with cgo; the file tools (evtx) work in this one", cause: err}
		}
		return nil, err
	}
	r.close = append(r.close, r.Engine.Close)
	r.Door, err = stream.Open(ctx, stream.Config{
		Writer: writer, Log: r.Log, Now: r.config.Now,
		WAL: wal.Options{MaxBytes: settings.LogBytes, Salvage: r.config.Salvage, Log: r.Log},
	})
	if err != nil {
		return nil, err
	}
	r.close = append(r.close, func() error {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return r.Door.Close(ending)
	})
	r.questions = r.newQuestions()
	if r.config.opened != nil {
		r.config.opened(r.Server)
	}
	return listener, r.openLocal(ctx)
}

func (r *running) openLocal(ctx context.Context) error {
	if r.config.Local == nil {
		return nil
	}
	path, stop, err := r.config.Local(ctx, Local{Writer: r.Writer, Engine: r.Engine, Flush: r.Door.Flush, Log: r.Log})
	if err != nil {
		return err
	}
	r.socket = path
	r.close = append(r.close, stop)
	return nil
}

// readDirs are the folders that a worker reads: the lake's, by both of its names.
func readDirs(dir string) []string {
	dirs := []string{dir}
	if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
		dirs = append(dirs, real)
	}
	return dirs
}

// serve takes requests until ctx ends.
func (r *running) serve(ctx context.Context, settings *Settings, listener net.Listener) error {
	done, drain := context.WithCancel(context.WithoutCancel(ctx))
	defer drain()
	r.done = done
	web := &http.Server{
		Handler:           r.handler(),
		TLSConfig:         r.certs.listening(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       r.conns.context,
		ConnState:         r.conns.state,
		ErrorLog:          slog.NewLogLogger(r.Log.Handler(), slog.LevelDebug), // handshakes that fail: anybody can cause them
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: streamsPerConnection},
	}
	ended := make(chan error, 1)
	go func() { ended <- web.ServeTLS(listener, "", "") }()
	if err := r.sayStart(listener.Addr().String()); err != nil {
		return errors.Join(err, web.Close())
	}
	tell("READY=1")
	if r.config.Ready != nil {
		r.config.Ready(listener.Addr().String())
	}
	certs, upkeep, rest := time.NewTicker(certEvery), time.NewTicker(upkeepEvery), time.NewTicker(restEvery)
	defer certs.Stop()
	defer rest.Stop()
	defer upkeep.Stop()
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("cannot go on serving: %w", err)
		case <-ctx.Done():
			return r.shutDown(web, drain)
		case <-r.config.Reload:
			r.reload()
		case <-certs.C:
			r.renew()
		case <-rest.C:
			r.decoders.rest()
		case <-upkeep.C:
			r.keepUp(ctx)
		}
	}
}

// sayStart prints what an operator needs first.
func (r *running) sayStart(address string) error {
	cert := r.settings.Load().Cert
	if cert == "" {
		cert = filepath.Join(r.Writer.Dir(), tlsFolder, certName)
	}
	lines := fmt.Sprintf("wadi %s serves https://%s\n  data folder  %s\n  certificate  %s\n  fingerprint  SHA-256 %s\n",
		r.version, address, r.Writer.Dir(), cert, r.certs.fingerprint())
	if r.socket != "" {
		lines += fmt.Sprintf("  socket       %s\n", r.socket)
	}
	lines += fmt.Sprintf("  make a token wadi --data '%s' token create NAME --scope ingest,query\n", r.Writer.Dir())
	if _, err := io.WriteString(r.config.Stdout, lines); err != nil {
		return fmt.Errorf("cannot print the start: %w", err)
	}
	return nil
}

// shutDown ends requests: no new ones, those that stream at once, the others when
// they are done or their time is over.
func (r *running) shutDown(web *http.Server, drain func()) error {
	limit := r.settings.Load().Drain
	r.Log.Info("going down", "requests may take", limit)
	tell("STOPPING=1")
	r.draining.Store(true)
	drain()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := web.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		r.Log.Warn("requests are cut off: they took too long to end")
		err = web.Close()
	}
	return err
}

// reload reads settings and certificate again. What is wrong changes nothing.
func (r *running) reload() {
	tell("RELOADING=1")
	defer tell("READY=1")
	settings, err := ReadSettings(r.config.Sources)
	if err == nil {
		_, err = r.certs.load(settings)
	}
	if err != nil {
		r.Log.Error("cannot read the settings again; the old ones hold", "error", err)
		return
	}
	old := r.settings.Load()
	if settings.Listen != old.Listen || settings.LogFormat != old.LogFormat || settings.LogBytes != old.LogBytes {
		r.Log.Warn("listen, log.format and limits.log change at the next start only")
		settings.Listen, settings.LogFormat, settings.LogBytes = old.Listen, old.LogFormat, old.LogBytes
	}
	r.level.Set(settings.LogLevel)
	r.bodies.resize(settings.BodyMemory)
	r.conns.resize(settings.Connections)
	r.settings.Store(settings)
	r.Log.Info("settings and certificate are read again", "fingerprint", r.certs.fingerprint())
}

// renew looks whether the certificate has to be made anew.
func (r *running) renew() {
	made, err := r.certs.load(r.settings.Load())
	switch {
	case err != nil:
		r.Log.Error("cannot look after the certificate", "error", err)
	case made:
		r.Log.Warn("the certificate was made anew; clients have to trust the new one", "fingerprint", r.certs.fingerprint())
	case r.Now().AddDate(0, 0, renewDays).After(r.certs.leaf.Load().NotAfter):
		r.Log.Warn("the certificate ends soon", "at", r.certs.leaf.Load().NotAfter)
	}
}

// keepUp looks after the lake while nothing arrives; while something does, the door
// does it.
func (r *running) keepUp(ctx context.Context) {
	if commits := r.Door.Stats().Commits; commits != r.commits {
		r.commits = commits
		return
	}
	if err := r.Writer.Upkeep(ctx); err != nil && ctx.Err() == nil {
		r.Log.Error("the lake's upkeep failed", "error", err)
	}
}
