from scipy.stats import Columns as array
