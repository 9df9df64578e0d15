# Effects other than OR, RR, RD: writes other_effects.json

source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))

tables <- list(ai = c(0, 3, 0, 20, 7, 12.5), n1i = c(20, 25, 10, 20, 7, 30),
               ci = c(4, 6, 0, 22, 2, 6.25), n2i = c(20, 24, 12, 22, 9, 31))
groups <- list(xi = c(0, 5, 20, 1, 7.5), ni = c(10, 20, 20, 3, 41))
arms <- as.list(dat.normand1999[, c("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")])
pairs <- list(ri = c(-0.95, -0.2, 0, 0.3, 0.999), ni = c(4, 10, 35, 1000, 12))

call <- function(measure, data, ...) {
  e <- suppressWarnings(do.call(escalc, c(list(measure = measure), data, list(...))))
  list(measure = measure, yi = as.numeric(e$yi), vi = as.numeric(e$vi))
}

tos <- c("only0", "all", "if0all", "none")
put(list(
  tables = tables, groups = groups, arms = arms, pairs = pairs,
  two_by_two = c(list(call("AS", tables, to = "none")),
                 lapply(tos, function(to) c(list(to = to), call("PETO", tables, add = 0.5, to = to)))),
  proportion = c(
    unlist(lapply(c("PR", "PLO"), function(m) lapply(tos, function(to) {
      c(list(to = to), call(m, groups, add = 0.5, to = to))
    })), recursive = FALSE),
    list(call("PAS", groups), call("PFT", groups))
  ),
  two_means = list(
    c(list(pooled_sd = FALSE, exact = TRUE), call("MD", arms)),
    c(list(pooled_sd = TRUE, exact = TRUE), call("MD", arms, vtype = "HO")),
    c(list(pooled_sd = FALSE, exact = TRUE), call("SMD", arms)),
    c(list(pooled_sd = FALSE, exact = TRUE), call("ROM", arms))
  ),
  correlation = list(call("ZCOR", pairs)),
  freeman_tukey_back = {
    y <- c(0.05, 0.3, 0.7, 1.2, 1.5)
    list(y = y, n = 17, p = transf.ipft(y, ni = 17))
  }
), "other_effects.json")
