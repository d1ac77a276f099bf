from dashboard import *
