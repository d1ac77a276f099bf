from pages import *
