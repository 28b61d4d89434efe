#if PLANTED_BUGS
#endif
