from runs.replica import *
