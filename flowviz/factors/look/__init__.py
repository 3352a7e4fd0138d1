"""Looking at factors in a corpus.

survey.survey(dictionary, model, corpus) -> Survey          one pass over a corpus
files.save_survey, files.open_survey(folder) -> Survey      kept on disk
listing.list_factors(survey, dictionary, request)           a page of the list
told.tell(survey, dictionary, model, request)               one factor with its contexts
attributed.attribute(survey, dictionary, model, request)    one activation, split over tokens
"""
