package engine

import "fmt"

// report says which limits hold of a worker and which this system lacks.
type report struct {
	Confined   []string `json:"confined,omitempty"`
	Unconfined []string `json:"unconfined,omitempty"`
}

func (r *report) note(name string, err error) {
	if err != nil {
		r.Unconfined = append(r.Unconfined, fmt.Sprintf("%s (%v)", name, err))
		return
	}
	r.Confined = append(r.Confined, name)
}

func (r *report) add(other report) {
	r.Confined = append(r.Confined, other.Confined...)
	r.Unconfined = append(r.Unconfined, other.Unconfined...)
}
