# Mixed models of a visual Turing test, with readers and cases both drawn at random.
# Needs R with lme4. Run it where trials.csv and readers.csv lie: Rscript analysis.R

library(lme4)

trials <- subset(read.csv("trials.csv"), primary == 1)
readers <- subset(read.csv("readers.csv"), complete == 1)
if (nrow(readers) < 3) {
  message("Fewer than three complete readers: nothing of this holds for readers in general.")
}
pairs <- all(trials$truth %in% c("left", "right"))
# Generated against real, or the generated volume on the right against on the left: half a
# step to either side, so that an intercept is the mean of both kinds.
trials$kind <- ifelse(trials$truth %in% c("G", "right"), 0.5, -0.5)
trials$order <- ave(trials$trial, trials$reader, FUN = rank)
trials$answered <- as.integer(trials$rating > 0)

fitted_model <- function(title, fit) {
  cat("\n\n==== ", title, "\n\n", sep = "")
  tryCatch(
    {
      model <- fit
      print(summary(model, correlation = FALSE))
      model
    },
    # A panel that is always right, or always gives one answer, leaves nothing to fit.
    error = function(problem) cat("Not fitted:", conditionMessage(problem), "\n")
  )
}

# The intercept is the log odds of a right answer, 0 at chance; kind is bias: above 0 if
# generated volumes are told more often than real ones; order is learning, per standard deviation.
accuracy <- fitted_model("Right answers, logistic", glmer(
  correct ~ kind + scale(order) + (1 | reader) + (1 | case),
  data = trials, family = binomial
))
if (!is.null(accuracy)) {
  odds <- fixef(accuracy)[["(Intercept)"]]
  error <- sqrt(vcov(accuracy)[1, 1])
  limits <- plogis(odds + c(-1, 1) * qnorm(0.975) * error)
  cat(sprintf(
    "\nAccuracy of a typical reader on a typical case: %.3f (95 %% %.3f to %.3f)\n",
    plogis(odds), limits[1], limits[2]
  ))
}

# On the probit scale the coefficient of kind is the distance d' of a typical reader, in pairs
# times the square root of 2, and the intercept is the criterion c with its sign turned.
detection <- fitted_model("Answers, probit", glmer(
  answered ~ kind + (1 + kind | reader) + (1 | case),
  data = trials, family = binomial(link = "probit")
))
if (!is.null(detection)) {
  cat(sprintf(
    "\nd' %.2f, c %.2f; means of readers.csv: d' %.2f, c %.2f\n",
    fixef(detection)[["kind"]] / ifelse(pairs, sqrt(2), 1), -fixef(detection)[["(Intercept)"]],
    mean(readers$d_prime), mean(readers$criterion)
  ))
}

fitted_model("Response times, linear, of their logarithm", lmer(
  log(answer_s) ~ kind * correct + level + scale(order) + (1 | reader) + (1 | case),
  data = subset(trials, answer_s > 0)
))

cat("\n")
print(sessionInfo())
