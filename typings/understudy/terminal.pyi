from terminal import *
