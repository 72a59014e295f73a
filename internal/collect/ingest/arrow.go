package ingest

func (d *Decoder) arrow(t *Target, body []byte) error {
	return &Error{Offset: -1, Reason: "Arrow is not read yet"}
}
