//! Event logs (EVTX): the only place that names `evtx`.
