from runs import *
