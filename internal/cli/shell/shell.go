package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/peterh/liner"
)

// Editor reads lines that a person types.
type Editor interface {
	// Prompt shows a prompt and gives the line, without its end. Ctrl-C gives
	// [ErrAborted], Ctrl-D on an empty line [io.EOF].
	Prompt(prompt string) (string, error)
	// Pasted tells whether the line given last was pasted, not typed.
	Pasted() bool
	// AppendHistory adds a line to those that the arrow keys bring back.
	AppendHistory(line string)
}

// ErrAborted is what an [Editor] gives for Ctrl-C.
var ErrAborted = liner.ErrPromptAborted

// Command is a command of the shell.
type Command struct {
	// Name begins with a dot; Args shows its arguments, Help what it does.
	Name, Args, Help string
	// Run does it. Its error is shown; ctx ends with Ctrl-C.
	Run func(ctx context.Context, argument string) error
}

// Shell asks what a person types until they leave.
type Shell struct {
	Editor  Editor
	History *History
	// Out takes what the shell says itself.
	Out io.Writer
	// Ask answers a question; ctx ends with Ctrl-C.
	Ask func(ctx context.Context, question string) error
	// Fail shows an error of Ask or of a command.
	Fail     func(error)
	Commands []Command

	input input
	last  string
	// interrupts takes Ctrl-C from the moment a line is read, so that none is lost
	// between it and the question.
	interrupts chan os.Signal
}

// The prompts: for a new question, for more of it, and while a bracket or text is
// open.
const (
	promptNew  = "wadi> "
	promptMore = "   -> "
	promptOpen = "   (> "
)

// greeting is what a session begins with.
const greeting = "Ask in KQL. An empty line or ';' ends a question; Tab completes, Ctrl-C stops, Ctrl-D leaves, .help tells more.\n"

// Last is the question asked last, "" before the first.
func (s *Shell) Last() string { return s.last }

// Pending is the text of the lines before the one being typed, with the line feed
// that ends it; for completion.
func (s *Shell) Pending() string {
	if s.input.empty() {
		return ""
	}
	return s.input.text() + "\n"
}

// Run reads and asks until the person leaves. Values of ctx are kept, its end is
// not: Ctrl-C ends a question only.
func (s *Shell) Run(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	for _, line := range s.History.Entries() {
		s.Editor.AppendHistory(line)
	}
	fmt.Fprint(s.Out, greeting)
	s.interrupts = make(chan os.Signal, 1)
	signal.Notify(s.interrupts, os.Interrupt)
	defer signal.Stop(s.interrupts)
	for {
		select {
		case <-s.interrupts: // came too late for the question before
		default:
		}
		line, err := s.Editor.Prompt(s.prompt())
		switch {
		case errors.Is(err, ErrAborted):
			s.input.clear()
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.Out)
			return nil
		case err != nil:
			return fmt.Errorf("cannot read from the terminal: %w", err)
		}
		if name, argument, ok := s.command(line); ok {
			if leave := s.run(ctx, name, argument); leave {
				return nil
			}
			continue
		}
		if !s.input.add(line, s.Editor.Pasted()) {
			continue
		}
		question := s.input.text()
		s.input.clear()
		s.keep(question)
		s.last = question
		s.interruptible(ctx, func(ctx context.Context) error { return s.Ask(ctx, question) })
	}
}

func (s *Shell) prompt() string {
	switch {
	case s.input.empty():
		return promptNew
	case scan(s.input.text()).open():
		return promptOpen
	default:
		return promptMore
	}
}

func (s *Shell) keep(question string) {
	line, err := s.History.Add(question)
	if err != nil {
		s.Fail(err)
	}
	if line != "" {
		s.Editor.AppendHistory(line)
	}
}

// interruptible runs f and ends its context with Ctrl-C.
func (s *Shell) interruptible(ctx context.Context, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.interrupts:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := f(ctx); err != nil {
		s.Fail(err)
	}
}

// command splits a line that is a command.
func (s *Shell) command(line string) (name, argument string, ok bool) {
	line = strings.TrimSpace(line)
	if !s.input.empty() || !strings.HasPrefix(line, ".") {
		return "", "", false
	}
	name, argument, _ = strings.Cut(line, " ")
	return strings.TrimSuffix(name, ";"), strings.TrimSuffix(strings.TrimSpace(argument), ";"), true
}

// run executes a command and tells whether it leaves the shell.
func (s *Shell) run(ctx context.Context, name, argument string) (leave bool) {
	if line := strings.TrimSpace(name + " " + argument); name != ".quit" && name != ".exit" {
		s.keep(line)
	}
	switch name {
	case ".quit", ".exit":
		return true
	case ".help":
		s.help()
		return false
	}
	i := slices.IndexFunc(s.Commands, func(c Command) bool { return c.Name == name })
	if i < 0 {
		s.Fail(fmt.Errorf("cannot run '%s': there is no such command; .help lists them", name))
		return false
	}
	s.interruptible(ctx, func(ctx context.Context) error { return s.Commands[i].Run(ctx, argument) })
	return false
}

func (s *Shell) help() {
	fmt.Fprint(s.Out, "A question is KQL over one or more lines. It ends with an empty line, or with ';' at the end of a line.\n\n")
	line := func(name, help string) { fmt.Fprintf(s.Out, "  %-26s %s\n", name, help) }
	for _, c := range s.Commands {
		line(strings.TrimSpace(c.Name+" "+c.Args), c.Help)
	}
	line(".help", "this list")
	line(".quit", "leave, as Ctrl-D does")
	fmt.Fprint(s.Out, "\n")
	line("Tab", "completes tables, columns, operators and functions; twice lists them")
	line("Up, Down, Ctrl-R", "earlier questions")
	line("Ctrl-C", "stops the running question, or drops the one being typed")
}
