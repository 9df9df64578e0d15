# The work of speed.py in metafor; prints one line of JSON: its version, and work -> seconds of each run.
suppressMessages(library(metafor))
args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]
quick <- args[2] == "quick"
set <- function(k) read.csv(file.path(folder, paste0(k, ".csv")))
once <- function(work) system.time(work())[["elapsed"]]
measured <- function(work, runs) {
  work()
  vapply(seq_len(runs), function(i) once(work), 0)
}
# The clock of R is coarse: many fits at once.
fits <- function(method, k, runs) {
  d <- set(k)
  times <- max(1, round(if (quick) 20 else 100 / max(1, k / 100)))
  measured(function() for (i in seq_len(times)) predict(rma(yi, vi, data = d, method = method, test = "knha")), runs) / times
}
found <- list()
for (k in c(10, 100)) {
  found[[paste0("one fit by REML, k = ", k)]] <- fits("REML", k, 7)
  found[[paste0("one fit by Paule and Mandel, k = ", k)]] <- fits("PM", k, 7)
}
# Its matrices of k x k do not fit for 10,000 studies.
for (k in c(10, 32, 100, 316, if (!quick) 1000)) found[[paste0("scaled ", k)]] <- fits("REML", k, if (k < 1000) 3 else 1)
d <- set(20)
r <- rma(yi, vi, data = d, test = "knha")
orders <- if (quick) 100 else 1000
moderated <- rma(yi, vi, mods = ~ x, data = d, test = "knha")
found[["permutation test, 1,000 orders, k = 20"]] <- replicate(if (quick) 1 else 3, once(function() permutest(moderated, iter = orders, progbar = FALSE)))
found[["leave-one-out and influence, k = 20"]] <- measured(function() { leave1out(r); influence(r) }, 5)
found[["cold start of the command line"]] <- measured(function() system2("Rscript", c("--vanilla", "-e", shQuote("suppressMessages(library(metafor))"))), 5)
if (!quick) {
  small <- rma(yi, vi, data = set(13), test = "knha")
  found[["GOSH, all 8,191 of k = 13"]] <- once(function() gosh(small, progbar = FALSE))
  found[["GOSH, 10,000 of k = 20"]] <- once(function() gosh(r, subsets = 10000, progbar = FALSE))
}
cells <- vapply(names(found), function(name) sprintf('"%s": [%s]', name, paste(format(found[[name]], digits = 6), collapse = ", ")), "")
cat(sprintf('{"version": "%s, R %s", "times": {%s}}\n', packageVersion("metafor"), getRversion(), paste(cells, collapse = ", ")))
